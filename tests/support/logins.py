"""Accounts in a dictionary, with the real keys of SCRAM, and the client's side of SCRAM."""

import hashlib
import hmac
from base64 import b64decode, b64encode

from sekisho.mail.account import Account, Login, LoginFailure, ScramKeys

ITERATIONS = 4096
YES, NO = True, False  # answers to a question of a mechanism


def scram_keys(password, salt, iterations=ITERATIONS):
    """RFC 5802 3."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    return ScramKeys(salt, iterations, hashlib.sha256(client_key).digest(), server_key)


class DictAuthenticator:
    """`passwords` by login, `tokens` by token. `failures` by login: what becomes of it though all is right.

    `refused` by login: what `admit` says. `asked` has the name of every call, in order.
    """

    def __init__(self, passwords, tokens=None, failures=None, refused=None, wait_seconds=0.0):
        self._passwords = passwords
        self._tokens = tokens or {}
        self._failures = failures or {}
        self._refused = refused or {}
        self._wrong = LoginFailure("denied", wait_seconds)
        self.names = ("PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "OAUTHBEARER", "XOAUTH2")
        self.asked = []

    def mechanisms(self, _listener, *, protected):
        return self.names if protected else ("SCRAM-SHA-256",)

    async def admit(self, attempt):
        return self.admit_now(attempt)

    async def check_password(self, attempt, password):
        return self.password_now(attempt, password)

    async def scram_keys(self, attempt):
        return self.keys_now(attempt)

    async def scram_done(self, attempt, *, proved):
        return self.proof_now(attempt, proved=proved)

    async def check_token(self, attempt, token):
        return self.token_now(attempt, token)

    def admit_now(self, attempt):
        self.asked.append("admit")
        return self._refused.get(attempt.login)

    def password_now(self, attempt, password):
        self.asked.append("check_password")
        return self._end(attempt, attempt.login, self._passwords.get(attempt.login) == password)

    def keys_now(self, attempt):
        self.asked.append("scram_keys")
        salt = hashlib.sha256(attempt.login.encode()).digest()[:16]
        return scram_keys(self._passwords.get(attempt.login, "nobody's"), salt)

    def proof_now(self, attempt, *, proved):
        self.asked.append("scram_done")
        return self._end(attempt, attempt.login, proved and attempt.login in self._passwords)

    def token_now(self, attempt, token):
        self.asked.append("check_token")
        login = self._tokens.get(token, "")
        return self._end(attempt, login, bool(login) and attempt.login in ("", login))

    def _end(self, attempt, login, right):
        if not right:
            return self._wrong
        account = Account("default", login, (login,))
        return self._failures.get(login) or Login(account, attempt.mechanism, "dictionary")


class ScramClient:
    """The client of one exchange, from RFC 5802 3 and 5."""

    def __init__(self, login, password, nonce="fyko+d2lbbFgONRv9qkxdawL", gs2="n,,", binding=b""):
        self._password = password
        self._gs2, self._binding = gs2, binding
        self._bare = f"n={login.replace('=', '=3D').replace(',', '=2C')},r={nonce}"
        self._signature = b""

    def first(self):
        return (self._gs2 + self._bare).encode()

    def final(self, server_first, nonce=""):
        """The proof. `nonce` stands for a client that says another one than was agreed, under a true proof."""
        fields = dict(field.split("=", 1) for field in server_first.decode().split(","))
        salt, iterations = b64decode(fields["s"]), int(fields["i"])
        channel = b64encode(self._gs2.encode() + self._binding).decode()
        without_proof = f"c={channel},r={nonce or fields['r']}"
        message = f"{self._bare},{server_first.decode()},{without_proof}".encode()
        salted = hashlib.pbkdf2_hmac("sha256", self._password.encode(), salt, iterations)
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(client_key).digest(), message, "sha256")
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        self._signature = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), message, "sha256")
        return f"{without_proof},p={b64encode(proof).decode()}".encode()

    def verify(self, server_final):
        """Whether the server has shown that it knows the password too."""
        return server_final == b"v=" + b64encode(self._signature)
