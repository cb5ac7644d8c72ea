import base64

import pytest

from sekisho.parse.words import header_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        # RFC 2047 8
        ("(=?ISO-8859-1?Q?a?=)", "(a)"),
        ("(=?ISO-8859-1?Q?a?= b)", "(a b)"),
        ("(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"),
        ("(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)"),
        ("(=?ISO-8859-1?Q?a_b?=)", "(a b)"),
        ("(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"),
        ("=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?= <keld@dkuug.dk>", "Keld Jørn Simonsen <keld@dkuug.dk>"),
        # RFC 2231 5
        ("=?US-ASCII*EN?Q?Keith_Moore?= <moore@cs.utk.edu>", "Keith Moore <moore@cs.utk.edu>"),
        ("plain", "plain"),
        ("", ""),
        ("=?utf-8?q?what?ever?=", "what?ever"),
        ("=?utf-8?b?!!!?= rest", "=?utf-8?b?!!!?= rest"),
        ("=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
        ("=?utf-8?q?abc", "=?utf-8?q?abc"),
        ("=?utf-8?B?5pel5pys?==?utf-8?B?6Kqe?=", "日本語"),
        ("a =?utf-8?q?b?= c =?utf-8?q?d?=", "a b c d"),
    ],
)
def test_encoded_words(value, text):
    assert header_text(value) == text


@pytest.mark.parametrize("cut", range(1, 9))
def test_a_character_split_between_two_words_is_whole(cut):
    octets = "日本語".encode()
    words = [f"=?utf-8?B?{base64.b64encode(part).decode()}?=" for part in (octets[:cut], octets[cut:])]
    assert header_text("\t".join(words)) == "日本語"


def test_base64_cut_within_a_group_goes_on_in_the_next_word():
    coded = base64.b64encode("日本語です".encode()).decode()
    assert header_text(f"=?utf-8?B?{coded[:6]}?= =?utf-8?B?{coded[6:]}?=") == "日本語です"


def test_iso_2022_jp_state_is_kept_over_words():
    octets = "請求書".encode("iso2022_jp")
    words = [f"=?iso-2022-jp?B?{base64.b64encode(part).decode()}?=" for part in (octets[:5], octets[5:])]
    assert header_text(" ".join(words)) == "請求書"


@pytest.mark.parametrize("codec", ["utf-8", "cp932", "euc_jp", "iso2022_jp"])
def test_raw_octets(codec):
    value = "お知らせ".encode(codec).decode("ascii", "surrogateescape")
    assert header_text(f"Re: {value}") == "Re: お知らせ"


def test_utf_7_word_is_refused():
    assert header_text("=?utf-7?Q?+ADw-b?=") == "+ADw-b"


def test_a_subject_of_encoded_words_only():
    words = "=?utf-8?B?5pel5pys?= " * 16_000
    assert header_text(words.strip()) == "日本" * 16_000


@pytest.mark.parametrize("piece", ["=?", "=?a?q?", "?=", "=?a?b?AAAA"])
def test_unfinished_words_stay(piece):
    value = piece * 50_000
    assert header_text(value) == value
