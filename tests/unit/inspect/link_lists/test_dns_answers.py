import pytest

from sekisho.config.settings import DnsListSettings
from sekisho.inspect.link_lists.dns_answers import Answers, control_question, meaning, question, reversed_ip
from sekisho.inspect.links.host import read_host

BITS = DnsListSettings("s", "multi.example", bits={"8": "phishing", "16": "malware", "64": "abused"})
CODES = DnsListSettings("d", "dbl.example", ask="host", codes={"127.0.1.2": "spam", "127.0.1.4": "phishing"})
IPS = DnsListSettings("i", "ip.example", ask="ip", codes={"127.0.0.2": "listed"})


@pytest.mark.parametrize(
    ("asked", "host", "name"),
    [
        (BITS, "www.a.example.co.jp", "example.co.jp.multi.example"),
        (BITS, "a.b.github.io", "b.github.io.multi.example"),
        (CODES, "www.a.example.co.jp", "www.a.example.co.jp.dbl.example"),
        (BITS, "8.8.4.4", ""),
        (CODES, "2606:4700::1", ""),
        (IPS, "8.8.4.1", "1.4.8.8.ip.example"),
        (IPS, "example.com", ""),
        (CODES, "co.jp", ""),
        (CODES, "nas.lan", ""),
        (CODES, "intranet", ""),
        (CODES, f"{'a.' * 120}example.com", ""),
        (CODES, "a b.example.com", ""),
        (CODES, "a..example.com", ""),
        (CODES, f"{'a' * 64}.example.com", ""),
        (CODES, "xn--fsq.jp", "xn--fsq.jp.dbl.example"),
    ],
)
def test_question(asked, host, name):
    assert question(asked, read_host(host)) == name


def test_reversed():
    # RFC 5782 2.1 and 2.4 give these examples
    assert reversed_ip(read_host("192.0.2.99").ip) == "99.2.0.192"
    assert reversed_ip(read_host("2001:db8:1:2:3:4:567:89ab").ip) == (
        "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2"
    )
    assert reversed_ip(read_host("::ffff:192.0.2.99").ip) == "99.2.0.192"


def test_control_question():
    assert control_question(BITS) == "invalid.multi.example"
    assert control_question(IPS) == "1.0.0.127.ip.example"


@pytest.mark.parametrize(
    ("asked", "values", "listed"),
    [
        (BITS, ["127.0.0.8"], "phishing"),
        (BITS, ["127.0.0.24"], "phishing, malware"),
        (BITS, ["127.0.0.84"], "malware, abused"),
        (BITS, ["127.0.0.2"], ""),
        (CODES, ["127.0.1.4"], "phishing"),
        (CODES, ["127.0.1.2", "127.0.1.4"], "spam, phishing"),
        (CODES, ["127.0.1.255"], ""),
        (CODES, [], ""),
    ],
)
def test_meaning(asked, values, listed):
    said = meaning(asked, tuple(values))
    assert (said.listed, said.wrong) == (listed, "")


@pytest.mark.parametrize(
    ("asked", "value"),
    [
        (BITS, "127.0.0.1"),
        (BITS, "127.0.0.255"),
        (BITS, "127.255.255.254"),
        (CODES, "127.0.0.1"),
        (CODES, "127.255.255.252"),
        (CODES, "127.255.255.255"),
        (CODES, "198.51.100.7"),
        (IPS, "0.0.0.0"),
    ],
)
def test_refusals_and_nonsense_list_nothing(asked, value):
    good = "127.0.0.8" if asked is BITS else "127.0.1.2"
    for values in ([value], [good, value], [value, good]):
        said = meaning(asked, tuple(values))
        assert said.listed == ""
        assert value in said.wrong


def test_what_the_settings_name_is_no_refusal():
    one = DnsListSettings("x", "x.example", codes={"127.0.0.1": "listed"})
    assert meaning(one, ("127.0.0.1",)).listed == "listed"
    bit = DnsListSettings("x", "x.example", bits={"1": "listed"})
    assert meaning(bit, ("127.0.0.1",)).listed == "listed"


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_answers_last_as_long_as_they_say():
    clock = Clock()
    answers = Answers(10, clock)
    answers.put("a", "spam", 60)
    answers.put("b", "", 60)
    assert [answers.get(name) for name in "abc"] == ["spam", "", None]
    clock.now += 60
    assert [answers.get(name) for name in "abc"] == [None] * 3
    assert len(answers) == 0


def test_the_least_recently_used_goes_first():
    answers = Answers(2, Clock())
    answers.put("a", "", 60)
    answers.put("b", "", 60)
    answers.get("a")
    answers.put("c", "", 60)
    assert [answers.get(name) for name in "abc"] == ["", None, ""]
