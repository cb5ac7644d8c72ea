"""Names of what is counted: keyed hashes, so that the counters hold no address in clear."""

from __future__ import annotations

from hashlib import blake2b

from sekisho.mail.counting import ITEM, KEY


class Names:
    """`secret` is 32 octets, the same in all processes that count together."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret[:64]

    def key(self, *words: str) -> bytes:
        """The key of a counter or group, 16 octets."""
        return self._hash(words, KEY)

    def item(self, *words: str) -> bytes:
        """An item of a group, 8 octets."""
        return self._hash(words, ITEM)

    def faint(self, *words: str) -> bytes:
        """An item from which nothing can be found again but the value itself: 4 octets, for wrong passwords."""
        return self._hash(words, 4)

    def _hash(self, words: tuple[str, ...], size: int) -> bytes:
        text = "\0".join(words).encode("utf-8", "surrogatepass")
        return blake2b(text, digest_size=size, key=self._secret).digest()
