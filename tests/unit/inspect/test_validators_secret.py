import base64
import hashlib
import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.inspect.samples import filled_in
from sekisho.inspect.validators_secret import (
    SECRET_VALIDATORS,
    basic_credentials,
    chosen_password,
    config_password,
    entropy,
    generated,
    key_shaped,
    login_password,
    mixed_password,
    password_hash,
    pin,
    placeholder,
    random_password,
    recovery_codes,
    restricting_label,
    scrambled,
    secret_value,
    signed_word,
    strong_password,
    trivial_password,
    typed_password,
    url_password,
    wifi_password,
    word_password,
)

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


@given(st.text(max_size=300))
def test_any_text_is_answered(text):
    for check in SECRET_VALIDATORS.values():
        assert check(text) in (True, False)


@pytest.mark.parametrize("check", SECRET_VALIDATORS.values(), ids=SECRET_VALIDATORS)
def test_long_runs_are_answered_in_bounded_time(check):
    for text in ("a" * 100_000, "aB3" * 30_000, "_" * 100_000, "1-" * 50_000 + "1", "$" * 100_000):
        check(text)


def test_entropy():
    assert entropy("aaaa") == 0
    assert entropy("ab") == 1
    assert entropy("abcdefgh") == 3


@pytest.mark.parametrize("length", [20, 24, 32, 40, 64])
@pytest.mark.parametrize(
    "alphabet", [BASE62, BASE62 + "-_", string.ascii_lowercase + string.digits, string.ascii_uppercase + "234567"]
)
def test_random_strings_look_generated(alphabet, length):
    dice = random.Random(length)
    strings = ["".join(dice.choice(alphabet) for _ in range(length)) for _ in range(500)]
    assert sum(map(generated, strings)) >= (460 if length < 32 else 490)


def test_digests_in_hexadecimal_count_from_32_characters_on():
    digest = hashlib.sha256(b"x").hexdigest()
    assert generated(digest)
    assert generated(digest[:32])
    assert not generated(digest[:24])


@pytest.mark.parametrize(
    "text",
    [
        "my-service-prod-01-token",
        "getTokenForUser2ndTime",
        "bert-base-uncased-2024",
        "user_registration_token_2",
        "arn:aws:kms:us-east-1:123456789012",
        "https://example.com/a1b2c3d4e5f6g7",
        "abcdefghijklmnopqrstuvwxyz0123456789",
        "your-api-key-goes-here-123",
        "00000000000000000000000000000000",
        "550e8400-e29b-41d4-a716-446655440000",
        "os.environ[TOKEN2]abcdef",
        "shortkey123",
    ],
)
def test_names_paths_counting_and_holes_do_not_look_generated(text):
    assert not generated(text)


def test_a_uuid_is_a_secret_only_behind_the_name_of_a_key():
    uuid = filled_in("{{hex-8}}-{{hex-4}}-{{hex-4}}-{{hex-4}}-{{hex-12}}")
    assert secret_value(uuid)
    assert not generated(uuid)
    assert not secret_value("00000000-0000-0000-0000-000000000000")


@pytest.mark.parametrize(
    "text",
    [
        "********",
        "xxxxxxxx",
        "<password>",
        "${PASSWORD}",
        "{{ password }}",
        "changeme",
        "your-password",
        "null",
        "●●●●●●",
    ],
)
def test_holes(text):
    assert placeholder(text)
    assert not chosen_password(text)
    assert not config_password(text)
    assert not word_password(text)
    assert not url_password(text)


@pytest.mark.parametrize("text", ["hunter22", "Sakura2024!", "p4ssphrase", "kGhTqWzBnR"])
def test_passwords_that_people_choose(text):
    assert chosen_password(text)


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-13", "v2.1.3", "ken@example.jp", "report2.pdf", "https://a.example/1", "RFC6238", "12345678",
        "characters", "8-64chars", "90days", "auth[2]", "short",
    ],
)  # fmt: skip
def test_what_stands_beside_the_word_password_without_being_one(text):
    assert not chosen_password(text)


@pytest.mark.parametrize("text", ["hunter22", "Mailpass1234!", "swordfish!23", "a/b+c=d1"])
def test_passwords_in_settings(text):
    assert config_password(text)


@pytest.mark.parametrize(
    "text",
    [
        'os.environ["DB_PASSWORD"]', "getpass.getpass(", "config.db.password", "db_password", "Rails.application",
        "^7.1.3", "/run/secrets/pw1", "Collection[str]", "Password1234_", "prohibit-password", "upper,lower,digit",
    ],
)  # fmt: skip
def test_code_and_names_are_no_passwords_in_settings(text):
    assert not config_password(text)


def test_a_password_without_a_word_beside_it_must_be_strong():
    assert strong_password("06pU4odZ58P9s")
    assert not strong_password("2F-201")
    assert not strong_password("meeting2024")


def test_passwords_in_addresses():
    assert url_password("s3cret%21x")
    assert url_password("tr0ub4dor")
    assert not url_password("tiger")  # scott's, of a thousand manuals
    assert not url_password("8443")
    assert not url_password("password")
    assert not url_password("db_password")


def test_basic_credentials():
    def encoded(text):
        return base64.b64encode(text.encode()).decode()

    assert basic_credentials(encoded("deploy:x7Kq2mZp"))
    assert basic_credentials(encoded("deploy:x7Kq2mZp").rstrip("="))
    assert not basic_credentials(encoded("username:password"))
    assert not basic_credentials(encoded("no colon in here"))
    assert not basic_credentials("not base64!")


def test_hashes_and_wifi_passwords():
    assert password_hash(filled_in("{{base62-22}}"))
    assert not password_hash("*")
    assert wifi_password(r"a\;b\\c123")
    assert not wifi_password(r"a\;b\\c12")  # seven characters without the backslashes
    assert not wifi_password("password")
    assert not wifi_password("a" * 64)


@pytest.mark.parametrize(
    "name", ["Confidential", "Highly Confidential", "社外秘", "Internal", "Tier 3", "Confidential \\ All"]
)
def test_labels_that_restrict(name):
    assert restricting_label(name)


@pytest.mark.parametrize(
    "name", ["Public", "General", " public ", "公開", "Personal", "Non-Business", "", "Internal - No Label"]
)
def test_labels_that_do_not(name):
    assert not restricting_label(name)


def test_the_registry_names_each_check_by_its_function():
    assert all(name == check.__name__ for name, check in SECRET_VALIDATORS.items())


@pytest.mark.parametrize("length", [12, 16, 24, 44])
def test_nine_of_ten_random_passwords_are_scrambled(length):
    dice = random.Random(length)
    made = ["".join(dice.choices(BASE62, k=length)) for _ in range(500)]
    assert sum(map(scrambled, made)) >= 450


@pytest.mark.parametrize(
    "value",
    [
        "iPhone15Pro", "Windows11", "GTX1080Ti", "INV-2025-004417", "9fceb02d0a", "2024.11.3-rc1", "PostgreSQL16",
        "UHD_3.15.0.HEAD-0-gaea0e2de", "4096x1024x32", "row<IMAGE_DIMENSION;", "K1A0B1X9", "short1A",
        "aB3@example.jp", "GRUB_GFXMODE=640x480",
    ],
)  # fmt: skip
def test_names_codes_and_versions_are_not_scrambled(value):
    assert not scrambled(value)


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        ("abcdef1234567890", True), ("AKIAIOSFODNN7EXAMPLE", True), ("sk_test_abcdefghijklmnop12", True),
        ("AKIAXXXXXXXXXXXXXXXX", False), ("your-api-key-goes-here-1", False), ("settings.API_KEY_FOR_TESTS_2", False),
        ("550e8400-e29b-41d4-a716-446655440000", False), ("abcdefghijklmnopq", False), ("1234567890123456", False),
        ("abcdef12345678", False),
    ],
)  # fmt: skip
def test_where_a_key_is_due_it_may_count(value, is_one):
    assert key_shaped(value) is is_one


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        ("password", True), ("Admin123!", True), (base64.b64encode(b"admin:admin").decode(), True),
        ("swordfish", False), ("passwordless", False), ("", False),
    ],
)  # fmt: skip
def test_passwords_that_everybody_tries(value, is_one):
    assert trivial_password(value) is is_one


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        ("4471", True),
        ("58213", True),
        ("1234", False),
        ("9876", False),
        ("0000", False),
        ("2024", False),
        ("447", False),
    ],
)
def test_numbers_that_open_something(value, is_one):
    assert pin(value) is is_one


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        ("a1b2c-d3e4f\n9z8y7-6x5w4", True), ("1. 1234 5678\n2. 8765 4321", True),
        ("a1b2c-d3e4f\na1b2c-d3e4f", False), ("xxxxx-xxxxx\nyyyyy-yyyyy", False), ("these words\nand those", False),
    ],
)  # fmt: skip
def test_codes_for_a_lost_second_factor(value, is_one):
    assert recovery_codes(value) is is_one


@pytest.mark.parametrize("value", ["Kaede41", "Harbor@5305", "Momiji_27!", "Zk4vQ9pLx2Wd", "pass#word9"])
def test_passwords_by_their_look(value):
    assert mixed_password(value)
    assert mixed_password(f"{value}.")


@pytest.mark.parametrize(
    "value",
    [
        "Kaede4", "2ndFloor", "iPhone15Pro", "Windows11", "Pixel8Pro", "KB5034441", "SUP-20417", "RT-AX86u2",
        "v3.2.1a", "user1", "Room2B", "2025-05-13T10", "https://a.example/B2c", "changeMe1", "Firefox128",
    ],
)  # fmt: skip
def test_names_and_numbers_have_not_the_look_of_a_password(value):
    assert not mixed_password(value)


@pytest.mark.parametrize(
    ("value", "signed", "chance"),
    [
        ("Harbor@5305", True, False), ("Kaede22!", True, False), ("Orchid_2041!", True, False),
        ("Zk4vQ9pLx2Wd", False, True), ("qzLDwWMg5Tk3", False, True), ("Kaede4122", False, False),
        ("Module_204417", False, False), ("Invoice#2041", False, False), ("0xA1B2C3D4e5", False, False),
        ("June2003TravelReport", False, False), ("CPU4412/1.5GHz", False, False), ("h7K20QR4", False, True),
    ],
)  # fmt: skip
def test_what_only_a_password_looks_like(value, signed, chance):
    assert signed_word(value) is signed
    assert random_password(value) is chance
    assert typed_password(value) is (signed or chance)


def test_a_password_behind_a_login():
    assert login_password("Kaede41")  # by its look
    assert login_password("06pu4odz58p9s")  # strong
    assert not login_password("meeting2024")
    assert not login_password("RDP-02a")


@pytest.mark.parametrize("length", [20, 32])
def test_nine_of_ten_random_strings_without_a_digit_look_generated(length):
    dice = random.Random(length)
    made = ["".join(dice.choices(string.ascii_letters, k=length)) for _ in range(500)]
    assert sum(map(generated, made)) >= 450
    assert not generated("getUserNameFromToken")
    assert not generated("abcdefghijklmnopqrstuvwxyz")


def test_a_long_base64_value_in_settings_is_a_password():
    value = filled_in("MFoE{{base64-199}}I=")
    assert config_password(value)
    assert not config_password(value * 2)
    assert not config_password("on_button1_clicked")
    assert not config_password("prod/db/app2")
    assert not config_password("enabled1")
