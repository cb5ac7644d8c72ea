"""Other people's clients at a submission listener: GNU SASL, curl and swaks."""

import shutil
import subprocess

import pytest
from support.certificates import self_signed
from support.submission import PASSWORDS, TARO, TOKENS, running


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return self_signed(tmp_path_factory.mktemp("tls"), "localhost")


def ran(program, *arguments, said=""):
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    done = subprocess.run([program, *arguments], input=said, capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stdout + done.stderr


def test_gnu_sasl(files):
    """It verifies our signature too. It says STARTTLS before EHLO, which we do not take: so in clear text."""
    with running(files, require_tls=False) as gate:
        for password, code in ((PASSWORDS[TARO], "235"), ("wrong", "535")):
            _, said = ran(
                "gsasl",
                *("--client", "--smtp", f"--connect=localhost:{gate.port}", "--no-starttls"),
                *("--mechanism=SCRAM-SHA-256", f"--authentication-id={TARO}", f"--password={password}"),
                said="QUIT\r\n",
            )
            assert f"\n{code} " in said, said
            assert ("server trusted" in said) == (code == "235"), said


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "OAUTHBEARER", "XOAUTH2"])
@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_curl(files, mechanism, tls, tmp_path):
    mail = tmp_path / "mail.eml"
    mail.write_text("Subject: x\r\n\r\nx\r\n", newline="")
    with running(files, tls=tls, mechanisms=(mechanism,)) as gate:
        scheme = "smtp" if tls == "starttls" else "smtps"
        for secret, status in ((next(iter(TOKENS)), 0), ("wrong", 67)):  # 67: the login was refused
            if mechanism.endswith("2") or mechanism.startswith("O"):
                who = ("--user", TARO, "--oauth2-bearer", secret)
            else:
                who = ("--user", f"{TARO}:{'wrong' if status else PASSWORDS[TARO]}")
            found, said = ran(
                "curl",
                *("--silent", "--show-error", "--verbose", "--ssl-reqd", "--cacert", str(files[0])),
                *("--login-options", f"AUTH={mechanism}", *who),
                *("--mail-from", TARO, "--mail-rcpt", "partner@example.net", "--upload-file", str(mail)),
                f"{scheme}://localhost:{gate.port}",
            )
            assert found == status, said
        assert gate.sessions.get(timeout=10).mechanism == mechanism


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_swaks(files, mechanism):
    with running(files) as gate:
        status, said = ran(
            "swaks",
            *("--server", "localhost", "--port", str(gate.port), "--tls", "--auth", mechanism),
            *("--auth-user", TARO, "--auth-password", PASSWORDS[TARO], "--from", TARO, "--to", "partner@example.net"),
        )
        assert status == 0, said
        assert gate.sessions.get(timeout=10).account == TARO
