"""Signs that an address shows by itself: its scheme, its host's form, its port, what its path ends in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from sekisho.inspect.links.confusables import deceit
from sekisho.inspect.links.host import Host, icann_suffix
from sekisho.inspect.links.sign import Sign, graded
from sekisho.mail.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sekisho.inspect.links.lists import Lists
    from sekisho.inspect.links.url import Address

WEB = frozenset(("http", "https", "ftp"))
_USUAL_PORTS = frozenset((80, 443, 8080, 8443, 21))
_ACTIVE_DATA = re.compile(
    r"(?:text/html|application/xhtml\+xml|image/svg\+xml|text/xml|application/xml)\b", re.IGNORECASE
)
_SCRIPT_DATA = re.compile(r"(?:text|application)/(?:x-)?(?:java|ecma|vb)script\b", re.IGNORECASE)
_NO_SCRIPT = re.compile(
    r"(?:void\s*\(?\s*0?\s*\)?|;|\s|//|(?:return )?false|history\.(?:back|go)\([-0-9]*\)"
    r"|(?:self|window)\.(?:close|print)\(\))*+\Z"
)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff\u180e\u034f\ufe00-\ufe0f]")
_WIDE = re.compile("[\uff01-\uff5e\u3002\uff61]")
_PERCENT = re.compile("%[0-9A-Fa-f]{2}")
_DOCUMENTS = frozenset(
    [
        "pdf",
        "doc",
        "docx",
        "xls",
        "xlsx",
        "ppt",
        "pptx",
        "txt",
        "rtf",
        "csv",
        "jpg",
        "jpeg",
        "png",
        "gif",
        "html",
        "htm",
        "mp3",
        "mp4",
        "zip",
    ]
)
# A Japanese organisation's suffix, or "com", in front of the site: the reader stops reading there.
_JP_INSIDE = re.compile(r"(?:^|[.-])(?:co|ne|or|go|ac)[.-](?:jp|ip)(?=[.-]|[a-z0-9]*\Z|[a-z0-9]*[.-])")
_COM_INSIDE = re.compile(r"[a-z0-9]\.com(?=\.|-|\Z)")


def scheme_signs(address: Address, origin: str, lists: Lists) -> Iterator[Sign]:
    """Signs of addresses that no web server answers."""
    scheme = address.scheme
    body = address.href[len(scheme) + 1 :]
    if scheme == "data":
        kind = body[:80].lstrip()
        active = _ACTIVE_DATA.match(kind) and not (origin == "src" and kind.lower().startswith("image/"))
        if active or _SCRIPT_DATA.match(kind):
            yield Sign("link/data", Severity.HIGH, 0.9, "the address itself is a page or a script")
    elif scheme in ("javascript", "vbscript"):
        if not _NO_SCRIPT.match(unquote(body[:200])):
            yield Sign("link/javascript", Severity.MEDIUM, 0.6, f"the address is a script ({scheme})")
    elif scheme in ("file", "smb", "cifs"):
        yield _file_sign(address)
    elif scheme in lists.app_schemes:
        yield Sign("link/app-scheme", Severity.HIGH, 0.85, f'"{scheme}:" starts a program on the reader\'s computer')


def host_signs(host: Host) -> Iterator[Sign]:
    """Signs of the host alone."""
    if host.ip is not None:
        public = host.ip.is_global
        yield graded("link/ip-address", 0.6 if public else 0.2, f"{host.ip} instead of a name", 1.5 if public else 0)
    elif host.unicode != host.ascii or not host.ascii.isascii():
        for label in host.unicode.split("."):
            if why := deceit(label):
                yield graded("link/confusable", 0.7 if why.startswith("all") else 0.85, f"{label}: {why}", 2)
    if host.site and (inside := _domain_inside(host)):
        yield graded("link/domain-in-subdomain", inside[1], inside[0], 1.5)


def other_signs(address: Address, lists: Lists) -> Iterator[Sign]:
    """Signs of how the host was written, of the user, the port and the file."""
    if address.host is not None and (encoded := _encoded(address, address.host)):
        yield encoded
    if address.user:
        yield _user_sign(address)
    if address.port is not None and address.port not in _USUAL_PORTS:
        yield graded("link/odd-port", 0.4, f"port {address.port}", 0.5)
    sign = _program(address, lists)
    if sign is not None:
        yield sign


def _file_sign(address: Address) -> Sign:
    host = address.host
    if host is not None and ((host.site and icann_suffix(host.ascii)) or (host.ip is not None and host.ip.is_global)):
        return Sign(
            "link/file",
            Severity.HIGH,
            0.8,
            f"opening it sends the reader's Windows name and password to {host.unicode}",
            2,
        )
    return graded("link/file", 0.3, "a file on a computer or share")


def _encoded(address: Address, host: Host) -> Sign | None:
    written = address.written_host
    plain = written.lower().partition(":")[0].rstrip(".")
    if plain == host.ascii or not written:
        return None
    if host.ip is not None:
        odd = ":" not in host.ascii and plain != host.ascii
        return (
            graded("link/encoded-host", 0.9, f"{written[:60]} is another way to write {host.ascii}", 2)
            if odd
            else None
        )
    if _PERCENT.search(written):
        ascii_only = host.ascii.isascii() and "xn--" not in host.ascii
        return graded("link/encoded-host", 0.85 if ascii_only else 0.3, "the host is percent-encoded", 1)
    if _INVISIBLE.search(written):
        return graded("link/encoded-host", 0.6, "the host has invisible characters in it", 1)
    if _WIDE.search(written) and "xn--" not in host.ascii:
        return graded("link/encoded-host", 0.5, "the host is written in full-width characters", 0.5)
    return None


def _domain_inside(host: Host) -> tuple[str, float] | None:
    """Whether another domain's end stands in front of the site ("example.co.jp.evil.top")."""
    front = f"{host.below}.{host.label}" if host.below else host.label
    if len(front) < 6:
        return None
    if "jp" in front or "ip" in front:
        found = _JP_INSIDE.search(front)
        if found and found.start() > 0:
            return f'"{found[0].strip(".-")}" stands in front of {host.site}', 0.85
    if host.below and _COM_INSIDE.search(host.below):
        return f'".com" stands in front of {host.site}', 0.6
    return None


def _user_sign(address: Address) -> Sign:
    name = unquote(address.user.partition(":")[0]).lower()
    shown = address.host.unicode if address.host else ""
    bare = re.split(r"[/?#@]", name, maxsplit=1)[0]
    if "." in bare and icann_suffix(bare) in (
        "com",
        "net",
        "org",
        "co.jp",
        "jp",
        "ne.jp",
        "or.jp",
        "go.jp",
        "co.uk",
        "de",
        "fr",
    ):
        return graded("link/userinfo", 0.9, f"what looks like a host is a user name; the host is {shown}", 2)
    password = ":" in address.user
    return graded(
        "link/userinfo", 0.5 if password and address.scheme != "ftp" else 0.3, f"a user name before {shown}", 0.5
    )


def _program(address: Address, lists: Lists) -> Sign | None:
    path = address.path
    if "." not in path[-24:]:
        return None
    name = unquote(path.rpartition("/")[2]).rstrip(". ").lower()
    stem, dot, ending = name.rpartition(".")
    severity = lists.programs.get(ending) if dot and stem else None
    if severity is None:
        return None
    inner = stem.rpartition(".")[2].strip()
    if severity is not Severity.LOW and "." in stem and inner in _DOCUMENTS and inner not in ("zip", "html", "htm"):
        return Sign("link/program", Severity.HIGH, 0.9, f"a program named like a document (.{inner}.{ending})", 2)
    return Sign("link/program", severity, 0.6, f"leads to a program (.{ending})", 1 if severity > Severity.LOW else 0)
