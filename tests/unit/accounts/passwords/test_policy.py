"""The policy, clause by clause of NIST SP 800-63B-4 3.1.1.2, and what is said of it."""

import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sekisho.accounts.passwords.blocklist import CommonPasswords, built, shipped_common
from sekisho.accounts.passwords.breach_build import build
from sekisho.accounts.passwords.breaches import BreachList
from sekisho.accounts.passwords.policy import PasswordPolicy, policy_of
from sekisho.accounts.passwords.reuse import Reuse
from sekisho.config.account_settings import PasswordSettings
from sekisho.config.load import load

DEFAULT = PasswordSettings()
OWNER = {"login": "t-yamada@yamanoue.example", "names": ["Taro Yamada", "山田 太郎"]}
SMALL = CommonPasswords.from_bytes(built(["password", "sakura"]))


def codes(password, own=DEFAULT, common=SMALL, breaches=None, **more):
    policy = PasswordPolicy(own, common, breaches, ["山上工業", "Yamanoue Kogyo"], ["yamanoue.example"])
    return [reason.code for reason in policy.judge(password, **{**OWNER, **more}).reasons]


def random(length):
    return secrets.token_hex(64)[:length].replace("e", "k").replace("d", "w")


GOOD = "vjq8-mmu2-zt4k-wy7x"


def test_least_lengths():
    """15 as the only factor, 8 with a second one."""
    assert "short" in codes(GOOD[:14])
    assert codes(GOOD[:15]) == []
    assert codes(GOOD[:8], second_factor=True) == []
    assert codes(GOOD[:7], second_factor=True) == ["short"]


def test_at_least_64_are_allowed_and_nothing_is_cut_off():
    long = " ".join(secrets.token_hex(4) for _ in range(9))
    assert len(long) > 64
    assert codes(long) == []
    assert codes(random(128) + random(128) + "x") == ["long"]


def test_code_points_are_counted():
    """15 characters of 3 and 4 octets in UTF-8 are 15."""
    assert codes("明日は晴れたら山へ行こうと思う") == []
    assert "short" in codes("明日は晴れたら山へ行こうと思")
    policy = PasswordPolicy(DEFAULT)
    assert policy.judge("\U0001f600\U0001f680\U0001f996").length == 3
    assert policy.judge("e\u0301").length == 1  # after NFC


@pytest.mark.parametrize(
    "password", ["all these are small letters", "  blanks  everywhere  too ", "üñïçødé ärë wëlcömé"]
)
def test_no_composition_rules_and_every_printable_character(password):
    assert codes(password) == []


def test_characters_that_nobody_can_type_are_refused():
    assert codes("tab\tin the middle of it") == ["characters"]
    assert codes("") == ["short"]
    assert codes("\ud800" * 20) == ["characters"]


def test_common_passwords():
    assert "common" in codes("P@ssw0rdP@ssw0rd")
    assert "common" not in codes("P@ssw0rdP@ssw0rd", common=None)


def test_breach_list(tmp_path):
    (tmp_path / "plain").write_text("vjq8-mmu2-zt4k-wy7x\n明日は晴れたら山へ行こうと思う\n")
    build(tmp_path / "plain", tmp_path / "list")
    breaches = BreachList.open(tmp_path / "list")
    assert codes(GOOD, breaches=breaches) == ["breached"]
    assert codes("明日は晴れたら山へ行こうと思う", breaches=breaches) == ["breached"]
    assert codes(GOOD + "9", breaches=breaches) == []


@pytest.mark.parametrize(
    "password",
    [
        "yamada-taro-1985",
        "Y@m4d4.T4r0-2026",
        "やまだたろう198504010900",
        "Yamanoue-Kogyo-2026",
        "山上工業山上工業2026年度版",
        "SekishoSekisho2026",
    ],
)
def test_words_of_the_owner_and_the_company(password):
    assert "context" in codes(password)


def test_a_name_in_a_long_sentence_is_no_reason():
    """NIST: the whole password is compared, not words that are contained in it."""
    assert codes("yamada bought seventeen purple teapots") == []


def test_words_of_the_settings():
    assert "context" in codes("Tokaido-line-2026", replace(DEFAULT, words=("Tokaido Line",)))


@pytest.mark.parametrize("password", ["aaaaaaaaaaaaaaaaaa", "abcabcabcabcabcabc", "はははははははははははははははは"])
def test_repeats(password):
    assert "repeated" in codes(password)


@pytest.mark.parametrize(
    "password", ["abcdefghijklmnopq", "1qaz2wsx3edc4rfv", "qwertyuiopasdfghjkl", "あいうえおかきくけこさしすせそ"]
)
def test_sequences(password):
    assert "sequence" in codes(password)


def test_least_guesses():
    assert "guessable" in codes("iloveyou sunshine1", common=None)
    assert "guessable" not in codes("iloveyou sunshine1", replace(DEFAULT, guesses_power_of_ten=5), common=None)
    assert "guessable" in codes("arigatougozaimasu", common=None)
    assert "guessable" in codes("ありがとうこんにちはさようなら", common=None)


def test_classes_where_settings_demand_them():
    demanding = replace(DEFAULT, require=("lower", "upper", "digit", "symbol"))
    assert codes("Vjq8-mmu2-zt4k-wy7x", demanding) == []
    policy = PasswordPolicy(demanding)
    (reason,) = policy.judge("vjqmmuztkwyxhgrpb").reasons
    assert reason.text.en == "It has no capital letter, digit and sign or blank."
    assert reason.text.ja == "英大文字・数字・記号がありません。"


def test_reuse():
    assert codes(GOOD, reuse=Reuse(previous=True)) == ["used-before"]
    assert codes(GOOD, replace(DEFAULT, last_passwords=0), reuse=Reuse(previous=True)) == []
    assert codes(GOOD, reuse=Reuse(shared=True)) == ["shared"]
    assert codes(GOOD, replace(DEFAULT, allow_shared=True), reuse=Reuse(shared=True)) == []


def test_an_owner_is_not_told_that_another_has_it():
    policy = PasswordPolicy(DEFAULT, SMALL)
    told = policy.judge(GOOD, reuse=Reuse(shared=True)).for_owner
    assert told == tuple(r for r in policy.judge("P@ssw0rdP@ssw0rd").reasons if r.code == "common")
    both = policy.judge("P@ssw0rdP@ssw0rd", reuse=Reuse(shared=True)).for_owner
    assert [reason.code for reason in both].count("common") == 1


@settings(max_examples=200)
@given(st.text(max_size=40))
def test_nothing_repeats_the_password(password):
    """Whatever is typed: no error, and no word of it in what is said (but for what our texts say to everybody)."""
    marked = f"zq{password}xk"
    verdict = PasswordPolicy(DEFAULT, shipped_common()).judge(marked, **OWNER)
    assert marked not in repr(verdict)
    assert verdict.good == (not verdict.reasons)


def test_what_a_password_manager_makes_is_good():
    policy = PasswordPolicy(DEFAULT, shipped_common())
    for _ in range(300):
        assert policy.judge(secrets.token_urlsafe(15), **OWNER).good


def test_long_input_is_bounded():
    verdict = PasswordPolicy(DEFAULT, SMALL).judge("山" * 1_000_000)
    assert [reason.code for reason in verdict.reasons] == ["long"]


def test_policy_of_a_tenant(tmp_path):
    (tmp_path / "plain").write_text(GOOD)
    build(tmp_path / "plain", tmp_path / "list")
    file = tmp_path / "sekisho.toml"
    file.write_text(
        '[tenant.default]\ncompany_names = ["Yamanoue Kogyo"]\n[tenant.default.password]\nbreach_list = "list"\n'
        '[tenant.sub]\nparent = "default"\n'
    )
    configuration, problems = load(file)
    assert problems == []
    for tenant in ("default", "sub"):  # inherited
        policy = policy_of(configuration, tenant)
        assert [r.code for r in policy.judge(GOOD).reasons] == ["breached"]
        assert "context" in [r.code for r in policy.judge("yamanouekogyo2026").reasons]
