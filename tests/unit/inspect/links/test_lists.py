import re
import shutil

import pytest

from sekisho.config.shipped import shipped
from sekisho.inspect.links.host import read_host
from sekisho.inspect.links.lists import load_lists
from sekisho.mail.finding import Severity

LISTS = load_lists(shipped("lists"))
DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*")


def test_brands():
    names = [name for brand in LISTS.brands for name in (*brand.names, *brand.weak)]
    assert len(names) == len(set(names)) > 300
    for brand in LISTS.brands:
        assert brand.domains, brand
        assert all(DOMAIN.fullmatch(d.removesuffix(".*")) for d in brand.domains), brand


@pytest.mark.parametrize("field", ["shorteners", "free_hosting", "dynamic_dns", "content_networks"])
def test_hosts_are_hosts(field):
    hosts = getattr(LISTS, field)
    assert len(hosts) > 30
    assert [h for h in hosts if not DOMAIN.fullmatch(h) or not read_host(h).suffix] == []


def test_no_host_is_both_free_and_dynamic():
    assert not LISTS.free_hosting & LISTS.dynamic_dns


def test_others():
    assert LISTS.programs["exe"] is Severity.MEDIUM
    assert LISTS.lures["login"] is True
    assert LISTS.lures["shop"] is False
    assert {r.kind for several in LISTS.redirectors.values() for r in several} == {"open", "guard", "track"}


@pytest.mark.parametrize(
    ("file", "line"),
    [("brands.txt", "no colon here"), ("redirectors.txt", "odd example.com"), ("programs.txt", "grave exe")],
)
def test_a_bad_line_is_named(tmp_path, file, line):
    folder = tmp_path / "lists"
    shutil.copytree(shipped("lists"), folder)
    (folder / file).write_text(f"# one\n{line}\n")
    with pytest.raises(ValueError, match=f"{file}:2: "):
        load_lists(folder)
