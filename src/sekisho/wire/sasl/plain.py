"""PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login): the password itself."""

from __future__ import annotations

from sekisho.wire.sasl.names import prepared_name
from sekisho.wire.sasl.steps import (
    CLIENT_FIRST,
    SECRET_OCTETS,
    Answer,
    Challenge,
    CheckPassword,
    Failed,
    Passed,
    SaslError,
    Step,
    text_of,
)


def _check(login: str, password: bytes) -> Step:
    if not password or len(password) > SECRET_OCTETS:
        raise SaslError("a password of no or too many octets")
    secret = text_of(password)
    name = prepared_name(login)
    return Failed() if name is None else CheckPassword(name, secret)


def _judged(answer: Answer) -> Step:
    return Passed() if answer is True else Failed()


class Plain:
    """One exchange: `authzid NUL authcid NUL password`. RFC 4616 2."""

    first = CLIENT_FIRST

    def respond(self, response: bytes) -> Step:
        """Read the one message. Raises SaslError."""
        fields = response.split(b"\0")
        if len(fields) != 3 or not fields[1]:
            raise SaslError("expected two NULs")
        wanted, login = text_of(fields[0]), text_of(fields[1])
        if wanted and prepared_name(wanted) != prepared_name(login):
            return Failed()  # nobody acts for another
        return _check(login, fields[2])

    def resume(self, answer: Answer) -> Step:
        """Take the answer to `CheckPassword`."""
        return _judged(answer)


class LoginMechanism:
    """One exchange: a user name, then a password. The name may come with AUTH, as many clients send it."""

    first = Challenge(b"Username:")

    def __init__(self) -> None:
        self._login: str | None = None

    def respond(self, response: bytes) -> Step:
        """Read the name, then the password. Raises SaslError."""
        if self._login is not None:
            return _check(self._login, response)
        self._login = text_of(response)
        if not self._login:
            raise SaslError("no user name")
        return Challenge(b"Password:")

    def resume(self, answer: Answer) -> Step:
        """Take the answer to `CheckPassword`."""
        return _judged(answer)
