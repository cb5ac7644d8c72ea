"""libarchive, the system's library for archives: reading members from memory, one format at a time.

Only the formats and filters that are asked for are switched on: some of libarchive's others start programs or open
files by name.
"""

from __future__ import annotations

import ctypes
import locale
import logging
from collections.abc import Iterator
from typing import Any, Final, Literal, Self

from msgspec import Struct

from sekisho.parse import said
from sekisho.parse.unpack.archive.members import decode_name
from sekisho.parse.unpack.opening import CorruptError, EncryptedError, UnavailableError

try:
    from libarchive import ffi
    from libarchive.exception import ArchiveError
except Exception as error:  # noqa: BLE001 - without the library the wrapper fails at import, in several ways
    ffi = None
    ArchiveError = OSError
    logging.getLogger(__name__).debug("libarchive is missing: %s", error)

_PIECE: Final = 1 << 20
_FATAL: Final = -30
# What LHA, RAR and ZIP name for their file names; of each the C library loads a file at first use.
_CHARSETS: Final = (
    "CP437 CP850 CP866 CP932 CP936 CP949 CP950 CP1250 CP1251 CP1252 SHIFT_JIS EUC-JP KOI8-R UTF-16LE UTF-16BE"
)
_KINDS: Final[dict[int, MemberKind]] = {0o100000: "file", 0: "file", 0o040000: "folder", 0o120000: "link"}

MemberKind = Literal["file", "folder", "link", "device"]


class LibraryMissingError(UnavailableError):
    """The system library libarchive (Debian: libarchive13) is not installed, so this archive stays closed."""


class Member(Struct, frozen=True):
    """What an archive says about a member; `target` is where a link leads, `size` 0 where it is not known."""

    name: str
    kind: MemberKind
    target: str = ""
    encrypted: bool = False
    size: int = 0


class Reader:
    """An archive in memory, to be used in a `with` statement.

    `formats` and `filters` are libarchive's names ("7zip", "rar5"; "gzip"). Raises LibraryMissingError when entered.
    """

    def __init__(
        self, content: bytes, formats: tuple[str, ...], filters: tuple[str, ...] = (), passphrase: bytes = b""
    ) -> None:
        self._content = content
        self._formats = formats
        self._filters = filters
        self._passphrase = passphrase
        self._archive: Any = None
        self._entry: Any = None

    def __enter__(self) -> Self:
        if ffi is None:
            raise LibraryMissingError("libarchive is not installed; install it to have this kind of archive opened")
        self._archive = ffi.read_new()
        self._entry = ffi.entry_new()
        return self

    def __exit__(self, *_: object) -> None:
        ffi.entry_free(self._entry)
        ffi.read_free(self._archive)

    def members(self) -> Iterator[Member]:
        """The members in their order; read each one's `data` before the next.

        Raises EncryptedError or CorruptError where the list cannot be read on.
        """
        try:
            self._open()
            while ffi.read_next_header2(self._archive, self._entry) != ffi.ARCHIVE_EOF:
                yield self._member()
        except ArchiveError as error:
            raise self._translated(error) from error

    def data(self) -> Iterator[bytes]:
        """The pieces of the member that `members` gave last, holes as zeros. Raises EncryptedError or CorruptError.

        Block by block: a read into a buffer gives nothing of it where a later block is broken.
        """
        block, size, offset = ctypes.c_void_p(), ctypes.c_size_t(), ctypes.c_longlong()
        place = (ctypes.byref(block), ctypes.byref(size), ctypes.byref(offset))
        at = 0
        try:
            while True:
                block.value, size.value, offset.value = None, 0, at  # what failed need not have set them
                state = ffi.read_data_block(self._archive, *place)
                if state == ffi.ARCHIVE_EOF:
                    return
                while at < offset.value:
                    hole = min(_PIECE, offset.value - at)
                    at += hole
                    yield bytes(hole)
                if size.value:
                    yield ctypes.string_at(block, size.value)
                    at += size.value
                if state != ffi.ARCHIVE_OK:
                    raise CorruptError("cannot be read on: a checksum or size is wrong")
        except ArchiveError as error:
            raise self._translated(error) from error

    @property
    def has_encrypted(self) -> bool:
        """Whether a member met so far is encrypted, as far as libarchive can tell for the format."""
        # Asked before a format is chosen, libarchive 3.6 follows a null pointer.
        return bool(_extra.format(self._archive)) and bool(_extra.has_encrypted(self._archive) == 1)

    def _open(self) -> None:
        if self._passphrase:
            ffi.read_add_passphrase(self._archive, self._passphrase)
        for name in self._filters:
            ffi.get_read_filter_function(name)(self._archive)
        for name in self._formats:
            ffi.get_read_format_function(name)(self._archive)
        ffi.read_open_memory(
            self._archive, ctypes.cast(ctypes.c_char_p(self._content), ctypes.c_void_p), len(self._content)
        )

    def _member(self) -> Member:
        entry = self._entry
        target = _decoded(ffi.entry_hardlink(entry)) or _decoded(ffi.entry_symlink(entry))
        kind: MemberKind = _KINDS.get(ffi.entry_filetype(entry) & 0o170000, "device")
        name = _decoded(ffi.entry_pathname(entry)) or ffi.entry_pathname_w(entry) or ""
        size = int(ffi.entry_size(entry))
        return Member(name, "link" if target else kind, target, bool(_extra.is_encrypted(entry)), size)

    def _translated(self, error: Exception) -> Exception:
        # Without a reason the error's text is made of numbers that are addresses of this process.
        why = str(getattr(error, "msg", None) or "the reason is not known")[:200]
        if self.has_encrypted or "ncrypt" in why or "assphrase" in why:
            return EncryptedError("the contents are encrypted")
        return CorruptError(f"cannot be read on: {said.reason(why)}")


def _decoded(raw: bytes | None) -> str:
    return decode_name(raw) if raw else ""


class _Extra:
    """Functions of libarchive that the wrapper does not declare."""

    def __init__(self) -> None:
        self.has_encrypted = self._function("archive_read_has_encrypted_entries")
        self.format = self._function("archive_format")
        self.is_encrypted = self._function("archive_entry_is_data_encrypted")

    @staticmethod
    def _function(name: str) -> Any:
        function = getattr(ffi.libarchive, name)
        function.argtypes, function.restype = [ctypes.c_void_p], ctypes.c_int
        return function


_extra: Any = _Extra() if ffi is not None else None


def warm() -> None:
    """Read an archive, so that nothing is loaded later; names need a UTF-8 locale and the C library's charsets."""
    logging.getLogger("libarchive").setLevel(logging.ERROR)  # its warnings quote the archive
    if "UTF-8" not in locale.setlocale(locale.LC_CTYPE).upper().replace("UTF8", "UTF-8"):
        try:
            locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
        except locale.Error:
            logging.getLogger(__name__).warning("no UTF-8 locale: names in archives may be unreadable")
    _load_charsets()
    if ffi is None:
        return
    with Reader(
        b"!<arch>\n", ("ar", "7zip", "rar", "rar5", "cab", "lha", "iso9660", "cpio", "xar", "tar", "zip")
    ) as reader:
        list(reader.members())


def _load_charsets() -> None:
    """Open a conversion from each charset and keep it open, so that the C library keeps what it loaded."""
    iconv_open = getattr(ctypes.CDLL(None), "iconv_open", None)  # a C library of another kind may lack it
    if iconv_open is None:
        return
    iconv_open.restype, iconv_open.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_char_p]
    for charset in _CHARSETS.split():
        iconv_open(b"UTF-8", charset.encode())
