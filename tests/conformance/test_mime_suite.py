"""The public MIME suite, whole: mime4j's expected trees and bodies, and the standard library as a second reader.

Each message for which we decide otherwise is listed, with the reason, in `mime_deviations.toml`; an entry that no
longer deviates fails as well.
"""

import email
import email.policy
import io
import tarfile
import tomllib
import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path

import pytest

from sekisho.parse import parse

ROOT = Path(__file__).parents[2]
ARCHIVE = ROOT.parent / "shared" / "data" / "mime" / "mime.tar.xz"
DEVIATIONS = tomllib.loads((Path(__file__).parent / "mime_deviations.toml").read_text())

pytestmark = pytest.mark.skipif(not ARCHIVE.exists(), reason="../shared/data/mime is not there")


@cache
def files():
    with tarfile.open(fileobj=io.BytesIO(ARCHIVE.read_bytes()), mode="r:xz") as archive:
        return {
            member.name.removeprefix("./"): archive.extractfile(member).read()
            for member in archive
            if member.isfile()
        }


def unix(data):
    return data.replace(b"\r\n", b"\n")


# mime4j: `X.msg` with the tree in `X_decoded.xml` and each leaf's content in a file named there.


def expected_tree(element, folder):
    fields = [unix(field.text.encode()).decode().strip() for field in element.iterfind("header/field")]
    for child in element:
        if child.tag == "multipart":
            return fields, [expected_tree(part, folder) for part in child.iterfind("body-part")]
        if child.tag == "message":
            return fields, expected_tree(child, folder)
        if child.tag in {"text-body", "binary-body"}:
            return fields, unix(files()[f"{folder}/{child.get('name')}"])
    return fields, b""


def our_tree(part):
    fields = [
        unix(part.raw[header.start : header.end]).decode("utf-8", "replace").strip()
        for header in part.headers
        if header.name
    ]
    if part.is_multipart:
        return fields, [our_tree(child) for child in part.children]
    if part.content_type == "message/rfc822" and part.children:
        return fields, our_tree(part.children[0])
    return fields, unix(part.content)


def mime4j():
    if not ARCHIVE.exists():
        return []
    return sorted(name for name in files() if name.endswith(".msg") and tree_of(name) in files())


def tree_of(name):
    return name.replace(".msg", "_decoded.xml")


@pytest.mark.parametrize("name", mime4j())
def test_mime4j(name):
    tree = ET.fromstring(files()[tree_of(name)])
    expected = expected_tree(tree, name.rpartition("/")[0])
    ours = our_tree(parse(files()[name]).root)
    if name in DEVIATIONS["mime4j"]:
        assert ours != expected, "listed as a deviation, but agrees"
    else:
        assert ours == expected


# Every other message: the leaves as the standard library reads them.


def walk(message):
    """Down to where both readers hold content: a status report is opened by the library, by us it is text."""
    if message.get_content_type() == "message/delivery-status":
        return
    if message.is_multipart():
        for part in message.get_payload():
            yield from walk(part)
    elif message.get_content_maintype() != "multipart":
        yield message


def library_leaves(raw):
    message = email.message_from_bytes(raw, policy=email.policy.compat32)
    return [(part.get_content_type(), unix(part.get_payload(decode=True))) for part in walk(message)]


def our_leaves(raw):
    return [
        (part.content_type, unix(part.content))
        for part in parse(raw).parts
        if not part.is_multipart
        and part.content_type != "message/delivery-status"
        and (not part.children or part.content_type.startswith("text/"))
    ]


def others():
    if not ARCHIVE.exists():
        return []
    return sorted(
        name
        for name in files()
        if name.endswith(".eml")
        or (name.endswith(".msg") and tree_of(name) not in files())
        or "/msg_" in name
        or "rlug" in name
        or "sample_output" in name
    )


@pytest.mark.parametrize("name", others())
def test_as_the_standard_library(name):
    raw = files()[name]
    if name in DEVIATIONS["stdlib"]:
        assert our_leaves(raw) != library_leaves(raw), "listed as a deviation, but agrees"
    else:
        assert our_leaves(raw) == library_leaves(raw)
