from datetime import UTC, datetime

import pytest

from sekisho.config.shipped import shipped
from sekisho.inspect.personal_lists import MOST_PERSONS, PersonalLists, people_in
from sekisho.inspect.rules import load_rules
from sekisho.inspect.words_jp import words
from sekisho.mail.envelope import Envelope, Recipient, Session
from sekisho.mail.finding import Severity
from sekisho.mail.message import Text
from sekisho.mail.transaction import Transaction
from sekisho.parse import parse

SURNAMES = [name for name in sorted(words("surnames")) if len(name) == 2]
GIVEN = ["太郎", "花子", "健一", "美咲", "誠", "直子", "翔太"]


def mail(*texts):
    """A transaction that has these texts."""
    envelope = Envelope("me@ours.example", (Recipient("taro@theirs.example"),))
    session = Session("s", "192.0.2.1")
    return Transaction("t", session, envelope, parse(b""), datetime.now(UTC), memo={"texts": texts})


@pytest.fixture(scope="module")
def inspect():
    rules, problems = load_rules([shipped("rules") / "dlp" / "jp"])
    assert problems == []
    inspector = PersonalLists(rules)
    return lambda text, where="body": inspector.inspect(mail(Text(text, where, "1.2", "list.csv", "Sheet1")))


def names(count, between=" "):
    return [f"{SURNAMES[i % len(SURNAMES)]}{between}{GIVEN[i // len(SURNAMES) % 7]}" for i in range(count)]


def mobiles(count):
    return [f"090-{2000 + i}-5678" for i in range(count)]


def rows(*columns, between=","):
    return "\n".join(between.join(cells) for cells in zip(*columns, strict=True))


@pytest.mark.parametrize(("count", "severity"), [(10, Severity.MEDIUM), (49, Severity.MEDIUM), (50, Severity.HIGH)])
def test_severity_grows_with_the_number_of_persons(inspect, count, severity):
    finding = inspect(rows(names(count), mobiles(count)), "attachment")[0]
    assert (finding.rule, finding.severity, finding.count) == ("dlp/jp/customer-list", severity, count)
    assert (finding.part, finding.where, finding.path) == ("1.2", "attachment", "list.csv/Sheet1")


def test_nine_persons_are_no_list(inspect):
    assert inspect(rows(names(9), mobiles(9)) + "\n" * 20) == ()


@pytest.mark.parametrize("between", [",", "\t", " ", " | ", '","', "、"])
def test_whatever_is_between_the_cells(inspect, between):
    assert inspect(rows(names(12), mobiles(12), between=between))[0].count == 12


@pytest.mark.parametrize("between", ["", " ", "\u3000", ",", "\t"])
def test_surname_and_given_name_together_or_apart(inspect, between):
    assert inspect(rows(names(12, between), mobiles(12)))[0].count == 12


@pytest.mark.parametrize(
    "fact",
    [
        "東京都港区虎ノ門四丁目3番1号",
        "昭和50年3月3日",
        "1975/03/03",
        "０９０－２３４５－６７８９",
        "横浜市西区高島2-18-1",
    ],
)
def test_address_birth_date_or_telephone(inspect, fact):
    assert inspect(rows(names(12), [fact] * 12))[0].count == 12


def test_records_of_labelled_lines(inspect):
    text = "\n\n".join(
        f"氏名：{name}\n区分：個人\n電話：{phone}" for name, phone in zip(names(12), mobiles(12), strict=True)
    )
    assert inspect(text)[0].count == 12


def test_the_own_telephone_list_of_a_company_is_none(inspect):
    assert inspect(rows(names(30), [f"03-3456-78{i:02}" for i in range(30)])) == ()
    assert inspect("内線番号表\n" + rows(names(30), mobiles(30))) == ()
    assert inspect(rows(names(30), [f"03-{2000 + 7 * i}-7801" for i in range(30)])) != ()


def test_signatures_are_none(inspect):
    signature = "--\n株式会社青葉商事\n山田 太郎\n〒100-0005 東京都千代田区丸の内1-5-1\nTEL 03-2345-6789\n"
    assert inspect(("承知いたしました。\n" + signature) * 20) == ()
    one_line = "山田 太郎 / 青葉商事 / 東京都千代田区丸の内1-5-1 / 090-2345-6789\n"
    assert inspect(one_line * 30) == ()
    several = "\n".join(
        f"ご確認ください。\n--\n{name}\n営業部\nTEL {tel}\n" for name, tel in zip(names(30), mobiles(30), strict=True)
    )
    assert inspect(several) == ()


def test_companies_dates_and_codes_are_none(inspect):
    assert inspect(rows(["青葉商事"] * 30, mobiles(30))) == ()
    assert inspect(rows(names(30), ["2026/04/01"] * 30)) == ()
    assert inspect(rows(names(30), ["0120-123-456"] * 30)) == ()
    assert inspect(rows(["Taro Yamada"] * 30, mobiles(30))) == ()


def test_nothing_of_a_person_is_shown(inspect):
    finding = inspect(rows(names(12), mobiles(12)))[0]
    shown = str(finding.to_json())
    assert not any(word in shown for name in names(12) for word in name.split())
    assert "090" not in shown


def test_a_long_list_stops_being_counted():
    people = people_in(rows(names(5_000), mobiles(5_000)))
    assert len(people.names) == MOST_PERSONS


def test_switched_off_with_its_rule():
    rules, _ = load_rules([shipped("rules") / "dlp" / "jp"], ["dlp/jp/customer-list"])
    text = Text(rows(names(60), mobiles(60)), "body")
    assert PersonalLists(rules).inspect(mail(text)) == ()


def test_what_the_recipient_wrote_is_half_as_sure(inspect):
    listed = rows(names(12), mobiles(12)).replace("\n", "\n> ")
    quoted = f"承知しました。\n\nOn 1 Apr 2026, Taro <taro@theirs.example> wrote:\n> {listed}\n"
    (own,), (finding,) = inspect(listed), inspect(quoted)
    assert (finding.count, finding.confidence) == (own.count, own.confidence / 2)
    assert inspect(quoted.replace("taro@", "somebody@"))[0].confidence == own.confidence
