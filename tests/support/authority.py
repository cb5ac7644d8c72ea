"""An authority made for one test: certificates with names, times and extensions as a test wants them."""

import datetime as dt

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
DAY = dt.timedelta(days=1)


class Certified:
    """A certificate with its key. `issue` makes one below it."""

    def __init__(self, certificate, key):
        self.certificate = certificate
        self.key = key

    @property
    def der(self):
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self):
        private = serialization.PrivateFormat.PKCS8
        return self.key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption())

    @property
    def public(self):
        info = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(serialization.Encoding.DER, info)

    def issue(self, name, **more):
        return made(name, issuer=self, **more)


def made(name, issuer=None, *, ca=False, hosts=(), after=-DAY, until=30 * DAY, extensions=(), key=None, subject=()):
    """A certificate, self-signed where there is no issuer. `after` and `until` count from now."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    own = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name), *subject])
    builder = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(issuer.certificate.subject if issuer else own)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + after)
        .not_valid_after(NOW + until)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if hosts:
        names = [x509.DNSName(host) for host in hosts]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    signer = issuer.key if issuer else key
    hashed = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return Certified(builder.sign(signer, hashed), key)
