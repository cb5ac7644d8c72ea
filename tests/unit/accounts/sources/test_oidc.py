"""Tokens of an issuer of our own with real keys: what is believed, and all that is not. RFC 7519, RFC 8725."""

import asyncio
import base64
import json
import ssl
import time
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from msgspec.structs import replace
from support.certificates import self_signed
from support.gateway import free_port
from support.issuer import AUDIENCE, Issuer, make_key

from sekisho.accounts.sources.oidc import OidcSource, scopes_of
from sekisho.accounts.sources.source import Known, Reach, SourceAwayError, Wrong
from sekisho.config.account_settings import OidcSettings
from sekisho.mail.account import Account, LoginAttempt
from sekisho.mail.envelope import Session

TARO = "taro@example.jp"
KNOWN = Known(Account("acme", TARO, (TARO,)))


@pytest.fixture(name="issuer")
def _issuer():
    with Issuer() as issuer:
        yield issuer


@pytest.fixture(name="settings")
def _settings(issuer):
    return OidcSettings(issuer.url, (AUDIENCE,), timeout_seconds=5.0)


def attempt(login=""):
    return LoginAttempt(Session("s", "192.0.2.1", tenant="acme"), "OAUTHBEARER", login)


def source_of(settings, reach=None, **more):
    return OidcSource("idp", settings, reach or Reach("acme", ("example.jp",)), Path, **more)


def check(settings, token, login="", reach=None, **more):
    async def run():
        source = source_of(settings, reach, **more)
        try:
            return await source.check_token(attempt(login), token)
        finally:
            await source.close()

    return asyncio.run(run())


def test_a_good_token(issuer, settings):
    assert check(settings, issuer.token()) == KNOWN
    assert check(settings, issuer.token(), "Taro@Example.JP") == KNOWN
    assert check(settings, issuer.token(aud=["other", AUDIENCE], name="Taro")).account.name == "Taro"
    assert issuer.asked[:2] == ["/.well-known/openid-configuration", "/keys"]


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_other_algorithms(issuer, settings, algorithm):
    issuer.add_key("k2", algorithm)
    assert check(settings, issuer.token("k2")) == KNOWN
    assert check(replace(settings, algorithms=("RS256",)), issuer.token("k2")) is None


def test_a_token_of_somebody_else(issuer, settings):
    assert check(settings, issuer.token(), "hanako@example.jp") == Wrong()


def test_a_token_of_another_company(issuer, settings):
    assert check(settings, issuer.token(email="taro@beta.example")) == Wrong()


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"},
        {"aud": []},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"nbf": 4_000_000_000},
        {"exp": "tomorrow"},
        {"exp": True},
        {"without": ("exp",)},
        {"without": ("aud",)},
        {"without": ("iss",)},
        {"key": make_key()},
        {"header": {"kid": "no such"}},
        {"header": {"kid": ""}, "key": make_key()},
    ],
)
def test_what_is_not_believed(issuer, settings, claims):
    assert check(settings, issuer.token(**claims)) is None


@pytest.mark.parametrize("claims", [{"without": ("email",)}, {"email": 5}, {"email": " "}, {"email_verified": False}])
def test_a_good_token_that_names_nobody(issuer, settings, claims):
    assert check(settings, issuer.token(**claims)) == Wrong()


def test_the_clock_may_be_wrong_by_so_much(issuer, settings):
    now = int(time.time())
    late = issuer.token(exp=now - 30)
    assert check(settings, late, now=lambda: float(now)) == KNOWN
    assert check(replace(settings, skew_seconds=10), late, now=lambda: float(now)) is None


def _part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_no_signature_is_none(issuer, settings):
    body = issuer.token().split(".")[1]
    for algorithm in ("none", "None", "NONE"):
        assert check(settings, f"{_part({'alg': algorithm, 'kid': 'k1'})}.{body}.") is None


def test_the_public_key_is_no_shared_secret(issuer, settings):
    public = issuer.keys["k1"][1].public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    head, body = _part({"alg": "HS256", "kid": "k1"}), issuer.token().split(".")[1]
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(f"{head}.{body}".encode(), pem)
    signed = base64.urlsafe_b64encode(signature).rstrip(b"=").decode()
    assert check(settings, f"{head}.{body}.{signed}") is None


@pytest.mark.parametrize(
    "token", ["", "a", "a.b.c", "..", "é.é.é", "a" * 20_000, "e30.e30.", "W10.W10.W10", "." * 9000]
)
def test_what_is_no_token(settings, token):
    assert check(settings, token) is None


def test_a_key_for_encryption_or_another_algorithm_signs_nothing(issuer, settings):
    issuer.add_key("k2", use="enc")
    issuer.add_key("k3", alg="RS512")
    for key_id in ("k2", "k3"):
        assert check(settings, issuer.token(key_id)) is None


def test_a_token_without_a_key_id_takes_the_only_key(issuer, settings):
    token = jwt.encode(
        {"iss": issuer.url, "aud": AUDIENCE, "exp": time.time() + 60, "email": TARO}, issuer.keys["k1"][1], "RS256"
    )
    assert check(settings, token) == KNOWN
    issuer.add_key("k2")
    assert check(settings, token) is None


def test_scopes(issuer, settings):
    wanted = replace(settings, scopes=("mail.send", "openid"))
    assert check(wanted, issuer.token(scope="openid mail.send profile")) == KNOWN
    assert check(wanted, issuer.token(scp=["mail.send", "openid"])) == KNOWN
    assert check(wanted, issuer.token(scope="openid mail.sender")) is None
    assert check(wanted, issuer.token()) is None
    assert scopes_of({"scope": ["a", 5], "scp": None}) == {"a"}


def test_claims_in_order(issuer, settings):
    either = replace(settings, login_claims=("upn", "email"))
    assert check(either, issuer.token(upn="T.Yamada@example.jp")).account.login == "t.yamada@example.jp"
    assert check(either, issuer.token()) == KNOWN


def test_new_keys_are_taken_up_but_not_asked_for_by_every_token(issuer, settings):
    now = [1000.0]

    async def run():
        source = source_of(settings, clock=lambda: now[0])
        assert await source.check_token(attempt(), issuer.token()) == KNOWN
        issuer.add_key("k2")
        asked = len(issuer.asked)
        for _ in range(20):  # too soon after the last question
            assert await source.check_token(attempt(), issuer.token("k2")) is None
        assert len(issuer.asked) == asked
        now[0] += 30.0
        assert await source.check_token(attempt(), issuer.token("k2")) == KNOWN
        for number in range(20):  # keys that nobody has
            assert await source.check_token(attempt(), issuer.token(header={"kid": f"x{number}"})) is None
        assert len(issuer.asked) == asked + 2
        now[0] += 3600.0
        del issuer.keys["k2"]
        old = issuer.token()
        issuer.away = True  # the keys that are known stay good
        assert await source.check_token(attempt(), old) == KNOWN
        await source.close()

    asyncio.run(run())


def test_an_issuer_that_is_away_is_no_word_on_the_token(issuer, settings):
    token = issuer.token()
    issuer.away = True
    with pytest.raises(SourceAwayError, match="503"):
        check(settings, token)
    gone = replace(settings, jwks_url=f"http://127.0.0.1:{free_port()}/keys")
    with pytest.raises(SourceAwayError):
        check(gone, token)


def test_a_discovery_document_of_another_issuer(issuer, settings):
    issuer.document = {"issuer": "https://evil.example", "jwks_uri": f"{issuer.url}/keys"}
    with pytest.raises(SourceAwayError, match="another issuer"):
        check(settings, issuer.token())


def test_keys_that_lie_in_clear_elsewhere_are_not_fetched(issuer, settings):
    issuer.document = {"issuer": issuer.url, "jwks_uri": "http://keys.example/keys"}
    with pytest.raises(SourceAwayError, match="not an https URL"):
        check(settings, issuer.token())


def test_over_tls_the_certificate_must_be_the_issuers(tmp_path):
    certificate, key = self_signed(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with Issuer(context) as issuer:
        settings = OidcSettings(issuer.url, (AUDIENCE,), ca_file=str(certificate), timeout_seconds=5.0)
        assert check(settings, issuer.token()) == KNOWN
        with pytest.raises(SourceAwayError, match="SSLCertVerificationError"):
            check(replace(settings, ca_file=""), issuer.token())


@pytest.fixture(name="asking")
def _asking(issuer, settings, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(issuer.credentials[1] + "\n")
    return replace(
        settings,
        introspection_url=f"{issuer.url}/introspect",
        client_id=issuer.credentials[0],
        client_secret_file=str(secret),
    )


def test_introspection(issuer, asking):
    issuer.opaque = {
        "good": {"active": True, "aud": AUDIENCE, "email": TARO},
        "client": {"active": True, "client_id": AUDIENCE, "email": TARO, "exp": time.time() + 60},
        "over": {"active": True, "aud": AUDIENCE, "email": TARO, "exp": 1},
        "other": {"active": True, "aud": "another", "email": TARO},
        "nobodys": {"active": True, "email": TARO},
        "foreign": {"active": True, "aud": AUDIENCE, "iss": "https://evil.example", "email": TARO},
        "word": {"active": "true", "aud": AUDIENCE, "email": TARO},
    }
    found = {token: check(asking, token) for token in (*issuer.opaque, "unknown")}
    assert {token for token, checked in found.items() if checked == KNOWN} == {"good", "client"}
    assert set(found.values()) == {KNOWN, None}


def test_introspection_with_the_wrong_secret(issuer, asking):
    issuer.credentials = ("gateway", "another")
    with pytest.raises(SourceAwayError, match="401"):
        check(asking, "opaque")


def test_without_introspection_nobody_is_shown_an_opaque_token(issuer, settings):
    assert check(settings, "opaque") is None
    assert issuer.asked == []
