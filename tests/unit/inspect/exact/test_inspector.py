import random

import pytest
from msgspec.structs import replace
from support.listed import as_csv, inspector, listed, people, sent

from sekisho.config.shipped import shipped
from sekisho.inspect.exact import inspector as under_test
from sekisho.inspect.exact import match
from sekisho.inspect.exact.inspector import RULE
from sekisho.inspect.rules import load_rules
from sekisho.mail.envelope import Envelope, Recipient
from sekisho.mail.finding import Severity
from sekisho.mail.message import Link, Text
from sekisho.parse import parse

CUSTOMERS = """会員番号,氏名,生年月日,電話番号,メール,郵便番号,住所
AB-20451,山田 太郎,1975-04-01,090-1234-5678,taro@example.jp,105-0011,東京都港区芝公園4-2-8 芝公園ビル3F
AB-20452,鈴木 花子,1980-12-31,03-3456-7890,hanako@example.jp,060-0001,北海道札幌市中央区北一条西2-1
AB-20453,Robert Smith,1969-07-20,+1 212 555 0123,bob@example.com,,1600 Amphitheatre Parkway
"""


@pytest.fixture(name="found")
def _found(tmp_path):
    listed(tmp_path, CUSTOMERS)
    return inspector(tmp_path)


@pytest.fixture(name="look")
def _look(found):
    return lambda text, **more: found.inspect(sent(text, **more))


# Each writes three fields of the first or the third row in another way.
@pytest.mark.parametrize(
    "text",
    [
        "AB-20451,山田 太郎,1975-04-01,090-1234-5678",
        "山田太郎様\n昭和50年4月1日生\n電話０９０－１２３４－５６７８",
        "山田　太郎　殿　ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ　S50.4.1",
        "TARO@EXAMPLE.JP / +81 90 1234 5678 / 1 April 1975",
        "〒１０５－００１１ 港区芝公園四丁目2番8号 山田太郎",
        "会員番号AB20451、生年月日：昭和五十年四月一日、Tel 090(1234)5678",
        "ａｂ－２０４５１\t山田,太郎\t19750401",
        "宛先 1050011 東京都 港区 芝公園 4ー2ー8 / 090 1234 5678",
        "<b>山 田 太 郎</b> 生 1975/4/1 携帯 09012345678",
        "SMITH, Robert; (212) 555-0123; born July 20, 1969",
        "bob@example.com, Mr Robert J. Smith, 1600 amphitheatre pkwy",
        "Smith Robert +1-212-555-0123 ab 20453? AB20453",
    ],
)
def test_three_fields_however_written(look, text):
    (finding,) = look(text)
    assert (finding.rule, finding.severity, finding.count, finding.where) == (RULE, Severity.HIGH, 1, "body")
    assert finding.confidence >= 0.95


@pytest.mark.parametrize(
    "text",
    [
        "山田太郎様、090-1234-5678にお電話します。",
        "山田花子 1975-04-01 03-3456-7890",
        "山田 太郎, 1980-12-31, bob@example.com",
        "注文番号 AB-20450、090-1234-5679、1975-04-02",
        "Robert Smith, hanako@example.jp, 1975-04-01",
        "",
    ],
)
def test_fewer_fields_and_mixed_rows(look, text):
    assert look(text) == ()


def test_nothing_of_the_values_is_told(look):
    (finding,) = look("山田太郎 1975-04-01 090-1234-5678 taro@example.jp")
    told = repr(finding)
    assert not any(value in told for value in ("山田", "太郎", "1975", "1234", "taro@"))
    assert finding.excerpt == "customers: 氏名, 生年月日, 電話番号, メール"
    assert (
        finding.explanation
        == '1 row of the list "customers", up to 4 fields of each (氏名, 生年月日, 電話番号, メール)'
    )


def test_rows_with_two_fields(tmp_path):
    rows = list(people(400))
    listed(tmp_path, as_csv(rows))
    found = inspector(tmp_path)
    pairs = [f"{name} {phone}" for name, phone, _ in rows[1:]]
    assert found.inspect(sent("\n".join(pairs[:4]))) == ()
    assert [(f.count, f.severity) for f in found.inspect(sent("\n".join(pairs[:5])))] == [(5, Severity.HIGH)]
    (many,) = found.inspect(sent("\n".join(pairs)))
    assert many.severity is Severity.CRITICAL
    assert many.count >= 395  # a few made-up people share a name or a number
    chance = random.Random(1)
    crossed = [f"{rows[chance.randrange(1, 400)][0]} {rows[chance.randrange(1, 400)][1]}" for _ in range(30)]
    assert found.inspect(sent("\n".join(crossed))) == ()


def test_rows_and_fields_as_said(tmp_path):
    listed(tmp_path, CUSTOMERS, least_rows=2, least_fields=5)
    found = inspector(tmp_path)
    assert found.inspect(sent("山田太郎 1975-04-01 090-1234-5678 taro@example.jp")) == ()
    assert found.inspect(sent("山田太郎 1975-04-01\n鈴木花子 1980/12/31"))[0].count == 2


def test_key_columns(tmp_path):
    listed(tmp_path, CUSTOMERS, key_columns=("会員番号", "メール"))
    found = inspector(tmp_path)
    assert found.inspect(sent("山田太郎 1975-04-01 090-1234-5678")) == ()
    assert len(found.inspect(sent("山田太郎 1975-04-01 090-1234-5678 AB-20451"))) == 1


def test_what_people_know_of_themselves(look):
    text = "山田太郎 1975-04-01 090-1234-5678"
    assert look(text, to="Taro@example.jp") == ()
    assert look(text, sender="taro@example.jp") == ()
    assert look(text + "\n鈴木花子 1980-12-31 03-3456-7890", to="taro@example.jp")[0].count == 1


def test_participants_of_a_quoted_thread(tmp_path):
    rows = list(people(50))
    listed(tmp_path, as_csv([row[::2] for row in rows]))
    found = inspector(tmp_path)
    quoted = ",\n>  ".join(f"{name} <{mail}>" for name, _, mail in rows[1:20])
    assert found.inspect(sent(f"see below\n> From: x\n> To: {quoted}\n> Subject: y\n>\n> text\n")) == ()
    assert found.inspect(sent(f"see below\n> Our customers: {quoted}\n"))[0].count == 19
    assert found.inspect(sent("hello", head=f"Cc: {quoted.replace(chr(10) + '> ', chr(10) + ' ')}\n")) == ()


def test_what_many_rows_share_tells_none_of_them(tmp_path):
    """A company's own telephone number and address, in the rows of all who work there."""
    text = "氏名,会社電話,会社住所,郵便番号\n"
    text += "".join(f"山田 {name}郎,03-1234-5678,港区芝公園4-2-8,105-0011\n" for name in "一二三四五六")
    text += "".join(
        f"鈴木 {name}子,03-1111-{n:04},新宿区西新宿{n}-2-3,160-{n:04}\n"
        for n, name in enumerate("甲乙丙丁戊己庚辛壬癸" * 7, 1)
    )
    listed(tmp_path, text)
    found = inspector(tmp_path)
    signature = "サンプル商事 〒105-0011 港区芝公園4-2-8 電話03-1234-5678"
    assert found.inspect(sent(signature)) == ()
    assert found.inspect(sent(f"山田一郎 {signature}"))[0].count == 1


@pytest.mark.parametrize(
    ("where", "path"), [("subject", ""), ("attachment", "outer.zip/list.xlsx"), ("filename", "")]
)
def test_everywhere(found, where, path):
    text = Text("山田太郎 1975-04-01 090-1234-5678", where, "2", path)
    (finding,) = found.inspect(replace(sent(""), memo={"texts": (text,)}))
    assert (finding.where, finding.part, finding.path) == (where, "2", path)


def test_what_links_ask(found):
    query = "https://x.example/f?n=%E5%B1%B1%E7%94%B0+%E5%A4%AA%E9%83%8E&b=1975-04-01&t=090-1234-5678"
    (finding,) = found.inspect(replace(sent(""), memo={"links": (Link(query, "", "1"),)}))
    assert (finding.where, finding.part) == ("link", "1")


def test_another_tenant_is_not_asked(look):
    assert look("山田太郎 1975-04-01 090-1234-5678", tenant="other") == ()


def test_names_and_texts_alone(tmp_path):
    text = (
        "氏名,病名,担当医\n山田 太郎,急性虫垂炎,鈴木 一郎\n鈴木 花子,多発性硬化症,佐藤 二郎\n高橋 花,肺炎球菌症,x\n"
    )
    listed(tmp_path, text, least_rows=2)
    found = inspector(tmp_path)
    assert found.inspect(sent("山田太郎さんは急性虫垂炎、鈴木花子さんは多発性 硬化症。"))[0].count == 2
    assert found.inspect(sent("山田太郎さんは急性虫垂炎、高橋花子さんは多発性 硬化症。")) == ()
    assert found.inspect(sent("山田太郎さんと鈴木花子さん。" + "。" * 1100 + "急性虫垂炎と多発性硬化症。")) == ()


def test_lists_may_be_replaced(tmp_path):
    listed(tmp_path, CUSTOMERS)
    found = inspector(tmp_path)
    message = sent("山田太郎 1975-04-01 090-1234-5678")
    (tmp_path / "lists/default/customers.idx").unlink()
    assert len(found.inspect(message)) == 1  # what was mapped stays
    assert found.lists.changed()
    found.lists = inspector(tmp_path).lists
    assert found.inspect(message) == ()


@pytest.mark.parametrize(
    "text",
    [
        "1 " * 200_000, "@" * 200_000, "a@b.co " * 50_000, "山田太" * 100_000, "1/2/1975 " * 40_000, "090-" * 100_000,
        "From: " + ", \n" * 100_000, "5-" * 200_000,
    ],
)  # fmt: skip
def test_hostile_texts(look, text):
    assert look(text) == ()


def test_the_rule_is_documented():
    rules, problems = load_rules([shipped("rules")])
    assert problems == []
    assert rules.by_id[RULE].severity == "high"


QUOTE = "On 1 Apr 2026 at 10:00, Partner <partner@theirs.example> wrote:\n"
ROW = "AB-20451, 山田 太郎, 1975-04-01, 090-1234-5678"


def test_what_the_recipient_wrote_is_half_as_sure(look):
    (own,) = look(ROW)
    (quoted,) = look(f"Noted.\n\n{QUOTE}> {ROW}\n")
    assert (own.path, quoted.path) == ("", "quoted reply")
    assert (quoted.confidence, quoted.count) == (own.confidence / 2, own.count)
    assert look(f"Noted.\n\n{QUOTE}> {ROW}\n", to="another@theirs.example")[0].confidence == own.confidence


def test_own_rows_beside_a_quotation_are_as_sure_as_ever(look):
    row = "AB-20452, 鈴木 花子, 1980-12-31, 03-3456-7890"
    own, quoted = look(f"{row}\n\n{QUOTE}> {ROW}\n")
    assert (own.path, own.count, quoted.path, quoted.count) == ("", 1, "quoted reply", 1)
    assert quoted.confidence < 0.5 < own.confidence


def shared_numbers(count, each):
    """People of whom `each` share a telephone number."""
    names = [
        f"{family} {given}郎" for family in ("佐藤", "鈴木", "高橋", "田中") for given in "一二三四五六七八九十百千"
    ]
    return [(names[n], f"090-1234-{1000 + 7 * (n // each)}") for n in range(count)]


@pytest.mark.parametrize(("sent_rows", "each"), [(8, 2), (16, 4), (8, 4), (5, 4)])
def test_rows_count_and_not_their_different_values(tmp_path, sent_rows, each):
    rows = shared_numbers(48, each)
    listed(tmp_path, as_csv([("氏名", "電話番号"), *rows]))
    (finding,) = inspector(tmp_path).inspect(sent("\n".join(map(" ".join, rows[:sent_rows]))))
    assert finding.count == sent_rows
    assert inspector(tmp_path).inspect(sent("\n".join(map(" ".join, rows[:4])))) == ()


def test_rows_whose_only_other_value_very_many_rows_have(tmp_path):
    """A value in more rows than are looked at one by one: the main number of a company with 70 in the list."""
    characters = "一二三四五六七八九十百千万円年月日時分秒"
    names = [f"山田 {a}{b}{c}" for a in characters for b in characters for c in characters]
    rows = [(name, f"03-{1000 + n // 70:04}-1234") for n, name in enumerate(names * 9)]
    rows = [(name + "甲乙丙丁戊己庚辛壬"[n // len(names)], phone) for n, (name, phone) in enumerate(rows)]
    listed(tmp_path, as_csv([("氏名", "電話番号"), *rows]))
    (finding,) = inspector(tmp_path).inspect(sent("\n".join(map(" ".join, rows[:6]))))
    assert finding.count == 6


LABELS = "\n".join(f"{{}}〒105-001{n} {name} {phone}" for n, (name, phone) in enumerate(shared_numbers(8, 1)))


@pytest.mark.parametrize("label", ["宛先：", "To: ", "> Cc: ", "お届け先："])
@pytest.mark.parametrize("where", ["body", "attachment"])
def test_a_line_that_says_to_whom_is_no_quoted_head(tmp_path, label, where):
    listed(tmp_path, as_csv([("氏名", "電話番号"), *shared_numbers(48, 1)]))
    text = Text(LABELS.format(*[label] * 8), where, "2")
    (finding,) = inspector(tmp_path).inspect(replace(sent(""), memo={"texts": (text,)}))
    assert finding.count == 8


def test_a_quoted_head_ends_where_no_more_addresses_come(tmp_path):
    rows = shared_numbers(48, 1)
    listed(tmp_path, as_csv([("氏名", "電話番号"), *rows]))
    table = "".join(f"{name},{phone},\n" for name, phone in rows[:8])
    text = f"From: a@b.example\nSubject: x\nTo: c@d.example,\n{table}"
    (finding,) = inspector(tmp_path).inspect(sent(text))
    assert finding.count == 8


@pytest.mark.parametrize(
    "head",
    [
        "From: Partner <partner@theirs.example>\nSent: Monday\nTo: {}\nSubject: y\n",
        "差出人: Partner <partner@theirs.example>\n送信日時: 2026/04/01\n宛先: {}\n件名: y\n",
        "*From:* Partner <partner@theirs.example>\n*Date:* Monday\n*To:* {}\n",
        "> From: x\n> Date: Monday\n> Cc: {}\n",
    ],
)
def test_participants_of_the_head_of_what_is_quoted(tmp_path, head):
    """Also where the head names the recipient, and what follows it is looked at by itself."""
    rows = list(people(50))
    listed(tmp_path, as_csv([row[::2] for row in rows]))
    found = inspector(tmp_path)
    quoted = "; ".join(f"{name} <{mail}>" for name, _, mail in rows[1:20])
    assert found.inspect(sent(f"see below\n\n{head.format(quoted)}\ntext\n")) == ()
    assert found.inspect(sent(f"see below\n\n{head.format('x')}\n{quoted}\n"))[0].count == 19


def to_all(message, addresses, own=frozenset()):
    envelope = Envelope(message.envelope.mail_from, tuple(Recipient(address) for address in addresses))
    return replace(message, envelope=envelope, internal_domains=frozenset(own), memo={})


def test_everybody_gets_everybodys_rows(tmp_path):
    rows = list(people(100))
    listed(tmp_path, as_csv(rows))
    found = inspector(tmp_path)
    message = sent("\n".join(map(" ".join, rows[1:11])))
    (finding,) = found.inspect(to_all(message, [mail for _, _, mail in rows[1:11]]))
    assert finding.count == 10
    assert found.inspect(to_all(sent(" ".join(rows[1])), [rows[1][2]])) == ()


def test_colleagues_among_the_recipients(tmp_path):
    """Their signatures are known to them; a list of them all is not for the one who is outside."""
    rows = [
        (f"山田 {given}郎", f"03-1111-{n:04}", f"u{n}@ours.example") for n, given in enumerate("一二三四五六七八九")
    ]
    listed(tmp_path, as_csv([("氏名", "電話番号", "メール"), *rows]))
    found = inspector(tmp_path)
    own = [mail for _, _, mail in rows]
    two = sent("\n".join(map(" ".join, rows[:2])))
    assert found.inspect(to_all(two, ["x@theirs.example", *own[:2]], {"ours.example"})) == ()
    assert found.inspect(to_all(two, own[:2], {"ours.example"})) == ()
    all_of_them = sent("\n".join(map(" ".join, rows)))
    assert found.inspect(to_all(all_of_them, ["x@theirs.example", *own], {"ours.example"}))[0].count == 9


def test_only_one_address_says_who_sent_it(tmp_path):
    rows = list(people(30))
    listed(tmp_path, as_csv(rows))
    many = ", ".join(mail for _, _, mail in rows[1:])
    raw = f"From: {rows[1][2]}, {many}\r\n\r\n" + "\n".join(map(" ".join, rows[1:11]))
    message = replace(sent(""), message=parse(raw.encode()), memo={})
    assert inspector(tmp_path).inspect(message)[0].count == 9


def told(findings):
    return [(f.rule, f.count, f.explanation.partition(", up to")[0]) for f in findings]


def rows_of(count):
    return "".join(f"AB-{20000 + n},name{n},1975-04-01,090-1234-{n:04},u{n}@example.jp\n" for n in range(count))


def test_more_values_than_are_looked_at(tmp_path, monkeypatch):
    """The rows seen are said to be the least; where too few of them are seen, that not all was looked at."""
    listed(tmp_path, f"会員番号,氏名,生年月日,電話番号,メール\n{rows_of(40)}")
    found = inspector(tmp_path)
    assert told(found.inspect(sent(rows_of(40)))) == [(RULE, 40, '40 rows of the list "customers"')]
    monkeypatch.setattr(under_test, "_MOST_HITS", 20)
    ((rule, count, said),) = told(found.inspect(sent(rows_of(40))))
    assert (rule, said) == (RULE, f'at least {count} rows of the list "customers"')
    assert 1 < count < 40
    monkeypatch.setattr(under_test, "_MOST_HITS", 2)
    (finding,) = found.inspect(sent(f"AB-20001, AB-20002\n\n{rows_of(3)}"))
    assert (finding.rule, finding.where) == ("inspection.failed/exact", "body")
    assert "customers" in finding.explanation
    assert found.inspect(sent("AB-20001, AB-20002")) == ()


def test_more_rows_than_are_looked_at(tmp_path, monkeypatch):
    listed(tmp_path, f"会員番号,氏名,生年月日,電話番号,メール\n{rows_of(40)}")
    monkeypatch.setattr(match, "_MOST_ROWS", 10)
    assert told(inspector(tmp_path).inspect(sent(rows_of(40)))) == [
        (RULE, 10, 'at least 10 rows of the list "customers"')
    ]


def test_more_links_than_are_looked_at(tmp_path, monkeypatch):
    listed(tmp_path, CUSTOMERS)
    found = inspector(tmp_path)
    mail = sent("\n".join(f"https://x.example/?n={n}&q={'9' * 300}" for n in range(9)))
    assert found.inspect(mail) == ()
    monkeypatch.setattr(under_test, "_LINK_CHARACTERS", 2000)
    assert [f.rule for f in found.inspect(mail)] == ["inspection.failed/exact"]


def test_the_place_is_that_of_the_first_row_that_counts(look, tmp_path):
    """Not that of the sender's own row before it; in how many places the rows are is said."""
    own = "Robert Smith, bob@example.com, 1969-07-20"
    text = f"{own}\n{'.' * 2000}\nhere: AB-20452, 鈴木 花子, hanako@example.jp"
    (finding,) = look(text, sender="bob@example.com", head="Subject: x\r\n")
    start, end = finding.span
    assert text[start:end] in ("AB-20452, 鈴木 花子, hanako@example.jp", "20452, 鈴木 花子, hanako@example.jp")
    listed(tmp_path, f"会員番号,氏名,生年月日,電話番号,メール\n{rows_of(40)}")
    first, rest = rows_of(6).splitlines()[0], "\n".join(rows_of(6).splitlines()[1:])
    (finding,) = inspector(tmp_path).inspect(sent(rest, head=f"Subject: {first}\r\n"))
    assert told([finding]) == [(RULE, 6, '6 rows of the list "customers" in 2 places')]
    assert finding.where == "subject"
