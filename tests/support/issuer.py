"""An OpenID Connect issuer of our own, on loopback: real keys, discovery, JWKS and introspection."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

AUDIENCE = "sekisho"
_SHOWN = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}


def make_key(algorithm="RS256"):
    if algorithm == "RS256":
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP256R1()) if algorithm == "ES256" else ed25519.Ed25519PrivateKey.generate()


class Issuer:
    """`keys` by id, `opaque` what introspection says of a token, `asked` the paths that were asked for."""

    def __init__(self, context=None):
        self.keys = {}
        self.opaque = {}
        self.asked = []
        self.credentials = ("gateway", "s3cret of:ours")
        self.document = None
        self.away = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme, host = ("https", "localhost") if context is not None else ("http", "127.0.0.1")
        self.url = f"{scheme}://{host}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.add_key("k1")

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def add_key(self, key_id, algorithm="RS256", **more):
        self.keys[key_id] = (algorithm, make_key(algorithm), more)

    def token(self, key_id="k1", *, algorithm=None, key=None, header=None, without=(), **claims):
        """A token that is good unless something is said otherwise."""
        its_algorithm, its_key, _ = self.keys[key_id]
        now = int(time.time())
        said = {"iss": self.url, "aud": AUDIENCE, "exp": now + 300, "iat": now, "email": "taro@example.jp", **claims}
        said = {name: value for name, value in said.items() if name not in without}
        return jwt.encode(said, key or its_key, algorithm or its_algorithm, {"kid": key_id, **(header or {})})

    def jwks(self):
        shown = []
        for key_id, (algorithm, key, more) in self.keys.items():
            public = _SHOWN[algorithm].to_jwk(key.public_key(), as_dict=True)
            shown.append({**public, "kid": key_id, "use": "sig", **more})
        return {"keys": shown}

    def _answer(self, path, body, authorization):
        if self.away:
            return 503, {}
        if path == "/.well-known/openid-configuration":
            return 200, self.document or {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        if path == "/keys":
            return 200, self.jwks()
        if path == "/introspect":
            login, secret = (part.replace(":", "%3A").replace(" ", "%20") for part in self.credentials)
            expected = "Basic " + base64.b64encode(f"{login}:{secret}".encode()).decode()
            if authorization != expected:
                return 401, {}
            return 200, self.opaque.get(parse_qs(body)["token"][0], {"active": False})
        return 404, {}

    def _handler(issuer):  # noqa: N805 - the handler has a self of its own
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self._do("")

            def do_POST(self):
                self._do(self.rfile.read(int(self.headers["Content-Length"])).decode())

            def _do(self, body):
                issuer.asked.append(self.path)
                status, answer = issuer._answer(self.path, body, self.headers.get("Authorization"))
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        return Handler
