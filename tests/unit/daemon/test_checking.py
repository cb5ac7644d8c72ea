"""What looks at messages is put together from the settings; all that is wrong with what they name is said at once."""

import asyncio
import hashlib
import io

import pyzipper
from support.archived import docx, with_attachments, zipped

from sekisho.config.load import load
from sekisho.daemon.checking import ocr_state
from sekisho.daemon.compose import checking_of, prepared_from
from sekisho.mail.envelope import Envelope, Recipient, Session

YARA = 'rule mine { meta: finding = "malware/mine" severity = "critical" strings: $a = "very bad" condition: $a }'


def checking(folder, text):
    file = folder / "sekisho.toml"
    file.write_text(text)
    configuration, problems = load(file)
    assert problems == []
    made, problems = checking_of(configuration)
    assert problems == []
    return made


def inspected(checking, raw):
    async def story():
        transaction = checking.checks.read(
            Session("s", "127.0.0.1", tenant="default"), Envelope("a@example.com", (Recipient("b@example.net"),)), raw
        )
        try:
            return await checking.checks.inspect(transaction)
        finally:
            await checking.close()

    return asyncio.run(story())


def test_what_pictures_say_is_kept_for_one_engine_its_data_and_languages_only(tmp_path):
    data = tmp_path / "eng.traineddata"
    data.write_bytes(b"one")
    place = str(tmp_path)
    states = [ocr_state(engine) for engine in (
        (), ("5.3", "2.7", place, "eng"), ("5.4", "2.7", place, "eng"), ("5.3", "2.7", place, "eng", "jpn")
    )]  # fmt: skip
    data.write_bytes(b"another")
    states.append(ocr_state(("5.3", "2.7", place, "eng")))
    assert len(set(states)) == len(states)
    assert ocr_state(("5.3", "2.7", place, "eng")) == states[-1]


def test_rules_and_hashes_of_ones_own(tmp_path):
    (tmp_path / "mine.yar").write_text(YARA)
    known = docx("known")
    (tmp_path / "hashes.txt").write_text(f"{hashlib.sha256(known).hexdigest()},Old.Trojan\n")
    made = checking(tmp_path, '[attachments]\nyara = ["mine.yar"]\nknown_hashes = ["hashes.txt"]\n')
    raw = with_attachments("x", ("a.zip", zipped({"a.txt": b"something very bad", "b.docx": known})))
    found = {(f.rule, f.path): f.explanation for f in inspected(made, raw)}
    assert ("malware/mine", "a.zip/a.txt") in found
    assert "Old.Trojan" in found["malware/known-hash", "a.zip/b.docx"]


def test_partners_of_the_tenant_are_not_to_be_imitated(tmp_path):
    made = checking(tmp_path, '[tenant.default]\npartners = ["tokyo-shoji.co.jp"]\n')
    raw = b"From: a@example.com\r\n\r\nsee https://tokyo-sh0ji.co.jp/\r\n"
    assert "link/lookalike" in {f.rule for f in inspected(made, raw)}


def test_passwords_of_the_tenant_are_tried(tmp_path):
    stream = io.BytesIO()
    with pyzipper.AESZipFile(stream, "w", encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(b"House-Word-1")
        archive.writestr("a.txt", "Visa 4111 1111 1111 1111, 4012 8888 8888 1881 and 5555 5555 5555 4444")
    (tmp_path / "words.txt").write_text("other\nHouse-Word-1\n")
    made = checking(tmp_path, '[tenant.default]\nattachment_passwords_file = "words.txt"\n')
    found = {f.rule: f for f in inspected(made, with_attachments("x", ("a.zip", stream.getvalue())))}
    assert "attachment/password-in-mail" in found
    assert found["dlp/card"].path == "a.zip/a.txt"


CARD = "Visa card 4012 8888 8888 1881, 5105 1051 0510 5100 and 3530 1113 3330 0000"


def of_rule(findings, rule):
    return [finding for finding in findings if finding.rule == rule]


def test_allowed_values_are_not_reported(tmp_path):
    (tmp_path / "allow.txt").write_text("# test cards\n4012-8888-8888-1881\n5105105105105100\n")
    made = checking(tmp_path, '[tenant.default]\ndlp_allow_file = "allow.txt"\n')
    (found,) = of_rule(inspected(made, f"From: a@example.com\r\n\r\n{CARD}\r\n".encode()), "dlp/card")
    assert found.count == 1


def test_a_column_of_500_numbers_is_one_finding(tmp_path):
    numbers = "\r\n".join(f"山田太郎,{my_number(n)}" for n in range(500))
    raw = with_attachments("x", ("list.csv", f"氏名,個人番号\r\n{numbers}\r\n".encode("cp932")))
    (found,) = of_rule(inspected(checking(tmp_path, ""), raw), "dlp/jp/my-number")
    assert (found.count, found.path, found.severity.word) == (500, "list.csv", "critical")


def my_number(n):
    """Individual number by its definition: 11 digits and their check digit (MIC ordinance 85 of 2014, article 5)."""
    digits = f"{23456789013 + 7919 * n:011d}"
    rest = sum(int(d) * (q + 2 if q < 6 else q - 4) for q, d in enumerate(reversed(digits))) % 11
    return digits + str(0 if rest <= 1 else 11 - rest)


def test_what_the_recipient_wrote_himself_counts_less(tmp_path):
    body = f"Thank you.\r\n\r\nOn Wed, Taro <b@example.net> wrote:\r\n> {CARD}\r\n"
    (found,) = of_rule(inspected(checking(tmp_path, ""), f"From: a@example.com\r\n\r\n{body}".encode()), "dlp/card")
    assert found.confidence < 0.75
    assert found.path == "quoted reply"


def test_the_query_of_a_link_is_looked_through(tmp_path):
    body = '<a href="https://form.example/?card=4012888888881881">form</a>'
    raw = f"From: a@example.com\r\nContent-Type: text/html\r\n\r\n{body}\r\n".encode()
    (found,) = of_rule(inspected(checking(tmp_path, ""), raw), "dlp/card")
    assert (found.where, found.confidence > 0.9) == ("link", True)


def test_all_problems_at_once(tmp_path):
    (tmp_path / "bad.yar").write_text("rule broken { condition: $missing }")
    (tmp_path / "feed.txt").write_text("# sekisho-feed: 1\n# updated: never\n")
    file = tmp_path / "sekisho.toml"
    file.write_text(
        '[attachments]\nyara = ["bad.yar", "none.yar"]\nknown_hashes = ["none.txt"]\n'
        '[[link_list]]\nname = "a"\nfile = "feed.txt"\n'
        '[tenant.default]\nattachment_passwords_file = "none.txt"\n'
    )
    prepared, problems = prepared_from(file)
    said = "\n".join(map(str, problems))
    assert prepared is None
    for place in ("bad.yar:1", "none.yar", "none.txt", "feed.txt:2", "attachment_passwords_file"):
        assert place in said
