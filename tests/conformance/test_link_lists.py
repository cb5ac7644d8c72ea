"""Lists of links, measured: half of the known phishing addresses as a list, looked for the other half in it.

Run as a script (`python tests/conformance/test_link_lists.py`) it reads everything and prints the table for
`docs/operate/link-lists.md`; the test reads samples.
"""

import csv
import gzip
import random
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import pytest

from sekisho.config.settings import LinkListSettings
from sekisho.config.shipped import shipped
from sekisho.inspect.link_lists.lists import load_link_lists
from sekisho.inspect.links.lists import load_lists
from sekisho.inspect.links.url import normalise

URLS = Path(__file__).parents[3] / "shared" / "data" / "urls"
WORDS = load_lists(shipped("lists"))
MATCHES = ("url", "host", "domain")

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not URLS.exists(), reason="../shared/data/urls is not there"),
]


def jpcert(*months):
    """Rows of date and address, the oldest first."""
    for path in sorted((URLS / "jpcert_2019_2023").glob("*.csv.gz")):
        if not months or path.name[:6] in months:
            with gzip.open(path, "rt", encoding="utf-8-sig") as lines:
                yield from ((row["date"][:10], row["URL"]) for row in csv.DictReader(lines))


def feed(name, before=""):
    return [before + line for line in (URLS / "misc" / name).read_text().split()]


def popular():
    return [f"https://{line.rpartition(',')[2]}/" for line in feed("tranco_top_100k.csv")]


def loaded(folder, lines, match="url", name="list.txt"):
    (Path(folder) / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return load_link_lists([LinkListSettings("list", name, match=match)], Path(folder).joinpath, WORDS)


def share(lists, urls):
    """How many of these addresses are listed, from 0 to 1."""
    addresses = [address for url in urls if (address := normalise(url)) is not None]
    return sum(lists.find(address) is not None for address in addresses) / len(urls)


def halves(urls):
    mixed = list(urls)
    random.Random(1).shuffle(mixed)
    return mixed[::2], mixed[1::2]


@pytest.mark.parametrize(
    ("match", "least", "most_popular"), [("url", 0.004, 0), ("host", 0.03, 0.0002), ("domain", 0.2, 0.002)]
)
def test_the_other_half_of_jpcert(tmp_path, match, least, most_popular):
    known, others = halves([url for _, url in jpcert("202311", "202312")])
    lists, problems = loaded(tmp_path, known, match)
    assert problems == []
    assert share(lists, known) > 0.999
    assert share(lists, others) > least
    assert share(lists, popular()[::10]) <= most_popular


def test_jpcert_csv_as_it_is_published(tmp_path):
    rows = list(jpcert("202306"))
    lines = ["date,URL,description", *(f"{day} 12:00:00,{url},ある会社" for day, url in rows)]
    lists, problems = loaded(tmp_path, lines, name="202306.csv")
    assert problems == []
    assert lists.states[0].unreadable <= 3
    assert share(lists, [url for _, url in rows]) > 0.98  # an address with a comma in it is cut


def test_openphish_as_it_is_published(tmp_path):
    urls = feed("openphish_feed_2026-08-22.txt")
    lists, problems = loaded(tmp_path, urls)
    assert problems == []
    assert lists.states[0].unreadable == 0
    assert share(lists, urls) == 1.0


def test_hosts_as_they_are_published(tmp_path):
    hosts = feed("phishing_database_domains_ACTIVE2.txt")
    lists, problems = loaded(tmp_path, hosts)
    assert problems == []
    assert lists.states[0].unreadable <= 5
    assert share(lists, [f"https://{host}/login" for host in hosts]) > 0.999


def report():
    """Everything."""
    days = defaultdict(list)
    for day, url in jpcert():
        days[day].append(url)
    sources = {
        "JPCERT 2019-2023": [url for urls in days.values() for url in urls],
        "OpenPhish": feed("openphish_feed_2026-08-22.txt"),
        "Phishing.Database": feed("phishing_database_domains_ACTIVE2.txt", "http://"),
    }
    tranco = popular()
    with tempfile.TemporaryDirectory() as folder:
        for name, urls in sources.items():
            known, others = halves(urls)
            for match in MATCHES:
                lists, _ = loaded(folder, known, match)
                print(f"| {name} | {match} | {share(lists, others):.1%} | {share(lists, tranco):.3%} |")
        order = sorted(day for day in days if day > "2023")
        for match in MATCHES:
            shares = [
                (len(days[day]), share(loaded(folder, _before(days, order, at), match)[0], days[day]))
                for at, day in enumerate(order)
                if at >= 30 and at % 7 == 2
            ]
            found = sum(number * part for number, part in shares) / sum(number for number, _ in shares)
            print(f"| JPCERT 2023, from the 30 days before | {match} | {found:.1%} | |")
        _cost(folder)


def _before(days, order, at):
    return [url for day in order[at - 30 : at] for url in days[day]]


def _cost(folder):
    chance = random.Random(2)
    lines = []
    for number in range(1_000_000):
        host = f"{chance.getrandbits(40):x}.example{number % 1000}.com"
        lines.append(host if number % 2 else f"https://{host}/a/b{number}.php?x={number}")
    (Path(folder) / "million").write_text("\n".join(lines) + "\n")
    started = time.process_time()
    lists, _ = load_link_lists([LinkListSettings("list", "million")], Path(folder).joinpath, WORDS)
    seconds = time.process_time() - started
    address = normalise("https://a.b.example.co.jp/x/y/z.html?q=1")
    started = time.process_time()
    for _ in range(100_000):
        lists.find(address)
    print(f"a million entries: {seconds:.1f} s; a look-up: {(time.process_time() - started) * 10:.1f} µs")


if __name__ == "__main__":
    report()
