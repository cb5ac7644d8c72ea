"""A private OpenLDAP server: its own configuration and database, loopback ports, stopped by its own pid."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from support.certificates import self_signed
from support.gateway import free_port, wait_for

SLAPD = shutil.which("slapd") or next((p for p in ("/usr/sbin/slapd",) if Path(p).exists()), None)
SLAPADD = shutil.which("slapadd") or next((p for p in ("/usr/sbin/slapadd",) if Path(p).exists()), None)
MISSING = "" if SLAPD and SLAPADD else "slapd is not installed (make test installs it, as root)"

BASE = "dc=example,dc=jp"
READER = f"cn=reader,{BASE}"
READER_PASSWORD = "may-read-entries"
PASSWORDS = {
    "taro": "correct horse battery",
    "hanako": "パスワード-長い-例",
    "jiro": "locked away for now",
    "x*y": "star in a name",
}

# What Active Directory has and OpenLDAP's schemas do not.
_SCHEMA = """
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.2.210 NAME 'proxyAddresses' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.2.840.113556.1.4.656 NAME 'userPrincipalName' EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
objectclass ( 1.2.840.113556.1.5.9 NAME 'adUser' SUP top AUXILIARY
  MAY ( userAccountControl $ proxyAddresses $ userPrincipalName ) )
"""
_PERSON = """
dn: uid={uid},ou=people,dc=example,dc=jp
objectClass: inetOrgPerson
objectClass: adUser
uid: {uid}
sn: {uid}
cn: {uid}
userPassword: {password}
{more}
"""


def _entries():
    parts = [
        f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n",
        f"dn: ou=people,{BASE}\nobjectClass: organizationalUnit\nou: people\n",
        (
            f"dn: {READER}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: reader\n"
            f"userPassword: {READER_PASSWORD}\n"
        ),
    ]
    more = {
        "taro": "mail: Taro.Yamada@example.jp\nuserPrincipalName: taro@example.jp\ndisplayName: Taro Yamada\n"
        "proxyAddresses: SMTP:taro.yamada@example.jp\nproxyAddresses: smtp:sales@example.jp\n"
        "proxyAddresses: X400:c=jp\nuserAccountControl: 512",
        "hanako": "mail: hanako@example.jp",
        "jiro": "mail: jiro@example.jp\nuserAccountControl: 514",
        "x*y": "mail: star@example.jp",
    }
    parts += [_PERSON.format(uid=uid, password=PASSWORDS[uid], more=lines) for uid, lines in more.items()]
    return "\n".join(parts)


class Slapd:
    """One instance: `port` speaks LDAP with StartTLS, `tls_port` LDAP in TLS; `certificate` is its own authority."""

    def __init__(self, host="localhost"):
        self._folder = Path(tempfile.mkdtemp(prefix="sekisho-slapd-"))
        self.port, self.tls_port = free_port(), free_port()
        self.certificate, key = self_signed(self._folder, host)
        (self._folder / "db").mkdir()
        (self._folder / "ad.schema").write_text(_SCHEMA)
        schemas = "\n".join(f"include /etc/ldap/schema/{n}.schema" for n in ("core", "cosine", "inetorgperson"))
        (self._folder / "slapd.conf").write_text(
            f"""
{schemas}
include {self._folder}/ad.schema
pidfile {self._folder}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile {self.certificate}
TLSCertificateKeyFile {key}
database mdb
suffix "{BASE}"
directory {self._folder}/db
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{READER}" read by users read by * none
"""
        )
        (self._folder / "entries.ldif").write_text(_entries())
        config = str(self._folder / "slapd.conf")
        command = [SLAPADD, "-q", "-f", config, "-l", str(self._folder / "entries.ldif")]
        subprocess.run(command, check=True, capture_output=True)
        self._process = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self):
        urls = f"ldap://127.0.0.1:{self.port}/ ldaps://127.0.0.1:{self.tls_port}/"
        with (self._folder / "log").open("ab") as log:
            command = [SLAPD, "-d", "stats", "-f", str(self._folder / "slapd.conf"), "-h", urls]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_for("slapd starts", self._answers)

    def _answers(self):
        assert self._process.poll() is None, (self._folder / "log").read_text()[-2000:]
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5):
            return True
        return False

    @property
    def log(self):
        return (self._folder / "log").read_text()

    def binds(self):
        """How many binds it has seen so far."""
        return self.log.count(" BIND dn=")

    def pause(self):
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self._process.send_signal(signal.SIGCONT)

    def stop(self):
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait(20)
            self._process = None
