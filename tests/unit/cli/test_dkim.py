from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support.zone import served

MAIL = b"From: a@example.jp\nSubject: x\n\nHello\n"
KEY = Ed25519PrivateKey.generate()
ZONE = {
    "s1._domainkey.example.jp": {"TXT": [f"k=ed25519; p={b64encode(KEY.public_key().public_bytes_raw()).decode()}"]},
    "s2._domainkey.example.jp": "refused",
}


@pytest.fixture
def signed(folder, sekisho):
    (folder / "key.pem").write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "mail.eml").write_bytes(MAIL)

    def sign(selector="s1", *more):
        arguments = ("--domain", "example.jp", "--selector", selector, "--key", "key.pem", *more)
        done = sekisho("dkim", "sign", "mail.eml", *arguments)
        assert done.status == 0
        return done.out.encode()

    return sign


@pytest.fixture
def verify(sekisho):
    with served(ZONE) as server:
        yield lambda file: sekisho("dkim", "verify", file, "--json", "--resolver", server.address)


def test_what_was_signed_verifies(signed, verify, folder):
    data = signed("s1", "--header-form", "simple", "--days-valid", "2")
    assert data.endswith(MAIL.replace(b"\n", b"\r\n"))
    (folder / "signed.eml").write_bytes(data)
    done = verify("signed.eml")
    (found,) = done.objects[0]["signatures"]
    contract = {
        "domain": "example.jp",
        "selector": "s1",
        "algorithm": "ed25519-sha256",
        "result": "pass",
        "reason": "",
    }
    assert done.status == 0
    assert contract.items() <= found.items()
    (folder / "changed.eml").write_bytes(data.replace(b"Hello", b"Goodbye"))
    assert (verify("changed.eml").status, verify("mail.eml").status) == (1, 1)


def test_no_answer_of_the_dns(signed, verify, folder):
    (folder / "signed.eml").write_bytes(signed("s2"))
    assert verify("signed.eml").status == 3


def test_errors(sekisho, folder):
    assert sekisho("dkim", "verify", "none.eml").status == 3
    assert (
        sekisho("dkim", "sign", "x.eml", "--domain", "a.example", "--selector", "s", "--key", "none.pem").status == 2
    )
