from __future__ import annotations

import pytest
from support.opened_file import opening_of

from sekisho.parse.unpack.office.markup import all_text, attribute, elements, local
from sekisho.parse.unpack.opening import CorruptError, OverLimitError


def read(data, *tags, **limits):
    return [
        (local(e), e.text) for e in elements(data, list(tags) or ["*"], opening_of(b"", **limits).budget, keep=True)
    ]


def test_elements_in_any_namespace():
    assert read(b"<a:x xmlns:a='1' xmlns:b='2'><a:t>1</a:t><b:t>2</b:t><t>3</t></a:x>", "{*}t") == [
        ("t", "1"), ("t", "2"), ("t", "3")
    ]  # fmt: skip


def test_attributes_in_any_namespace():
    (element,) = elements(b"<x xmlns:r='1' r:id='a'/>", ["*"], opening_of(b"").budget, keep=True)
    assert attribute(element, "id") == "a"
    assert attribute(element, "other") == ""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "shift_jis", "euc-jp", "iso-2022-jp"])
def test_encodings(encoding):
    assert read(f"<?xml version='1.0' encoding='{encoding}'?><t>日本</t>".encode(encoding)) == [("t", "日本")]


@pytest.mark.parametrize(
    "data",
    [b"", b"x", b"<a>", b"<a></b>", b"<a>" * 1000 + b"</a>" * 1000, b"<?xml version='1.0' encoding='nope'?><a/>",
     b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", b"<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/'><a/>"],
)  # fmt: skip
def test_what_is_refused(data):
    with pytest.raises(CorruptError):
        read(data)


def test_too_many_tags():
    with pytest.raises(OverLimitError, match="XML"):
        read(b"<" * 8_000_001)


def test_all_text():
    assert all_text(b"<a>x<b>y</b>z<!-- no --><c> </c></a>", opening_of(b"").budget) == "x\ny\nz"
