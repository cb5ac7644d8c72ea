import string

import pytest
import stdnum.iban
import stdnum.luhn
from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_97_10

from sekisho.inspect.bank_checks import BANK_VALIDATORS, IBAN_LENGTHS, iban, payment_card, swift_code
from sekisho.inspect.validators import VALIDATORS

digits = st.text(string.digits, max_size=22)

# The examples of the ISO 13616 registry.
IBANS = [
    "AT611904300234573201",
    "BA391290079401028494",
    "BE68539007547034",
    "CH9300762011623852957",
    "CZ6508000000192000145399",
    "DE89370400440532013000",
    "DK5000400440116243",
    "ES9121000418450200051332",
    "FI2112345600000785",
    "FR1420041010050500013M02606",
    "GB29NWBK60161331926819",
    "GB82WEST12345698765432",
    "IE29AIBK93115212345678",
    "IT60X0542811101000000123456",
    "ME25505000012345678951",
    "MK07250120000058984",
    "MT84MALT011000012345MTLCAST001S",
    "NL91ABNA0417164300",
    "NO9386011117947",
    "PL61109010140000071219812874",
    "PT50000201231234567890154",
    "RS35260005601001611379",
    "SA0380000000608010167519",
    "SE4550000000058398257466",
    "SI56191000000123438",
    "SK3112000000198742637541",
    "SM86U0322509800000000270100",
    "XK051212012345678906",
]


def test_all_of_them_can_be_named_in_a_rule():
    assert BANK_VALIDATORS.items() <= VALIDATORS.items()


@pytest.mark.parametrize("number", IBANS)
def test_an_iban_of_the_registry_passes_here_and_there(number):
    assert stdnum.iban.is_valid(number, check_country=False)
    assert iban(number)
    assert iban(number.lower())
    assert iban(" ".join(number[i : i + 4] for i in range(0, len(number), 4)))
    assert not iban(number + "0")
    assert not iban(number[:-1])


@given(st.sampled_from(IBANS), st.integers(4, 30), st.sampled_from(string.digits + string.ascii_uppercase))
def test_what_passes_passes_there(number, place, new):
    place %= len(number)
    changed = number[:place] + new + number[place + 1 :]
    assume(changed[:2] == number[:2])
    assert not iban(changed) or stdnum.iban.is_valid(changed, check_country=False)


@given(st.sampled_from(["AD", "AT", "CH", "DE", "DK", "GR", "HU", "LU", "SA", "SE", "TR"]), st.data())
def test_mod_97_agrees_with_stdnum_where_a_country_has_no_check_of_its_own(country, data):
    size = IBAN_LENGTHS[country] - 4
    bban = data.draw(st.text(string.digits, min_size=size, max_size=size))
    right = mod_97_10.calc_check_digits(bban + country)
    for check in {right, data.draw(st.text(string.digits, min_size=2, max_size=2))}:
        number = country + check + bban
        assert iban(number) == mod_97_10.is_valid(bban + country + check)


# Countries whose account numbers have a check of their own, and the places that it covers.
OWN_CHECKS = {
    "BA": (0, 16), "BE": (0, 12), "CZ": (4, 20), "ES": (0, 20), "FI": (0, 14), "FR": (0, 23), "IT": (1, 23),
    "ME": (0, 18), "MK": (0, 15), "NO": (0, 11), "PL": (0, 8), "PT": (0, 21), "RS": (0, 18), "SI": (0, 15),
    "SK": (4, 20), "SM": (1, 23), "XK": (0, 16),
}  # fmt: skip


@pytest.mark.parametrize("number", [n for n in IBANS if n[:2] in OWN_CHECKS])
def test_the_account_in_it_has_a_check_of_its_own(number):
    """One digit of the account is another and the check digits are made anew: by mod 97 alone it would pass."""
    country, bban = number[:2], number[4:]
    for place in range(*OWN_CHECKS[country]):
        if bban[place].isdigit():
            wrong = bban[:place] + str((int(bban[place]) + 1) % 10) + bban[place + 1 :]
            remade = country + mod_97_10.calc_check_digits(wrong + country) + wrong
            assert mod_97_10.is_valid(wrong + remade[:4])
            assert not iban(remade)


def test_an_iban_in_groups_and_before_a_word():
    assert iban("GB82 WEST 1234 5698 7654 32")
    assert iban("GB82 WEST 1234 5698 7654 32 PLE")
    assert not iban("GB82WEST12345698765432X")
    assert not iban("GB82 WEST 1234 5698 7654")
    assert not iban("XX82 WEST 1234 5698 7654 32")
    assert not iban("gB82WesT12345698765432")


@pytest.mark.parametrize("code", ["DEUTDEFF", "DEUTDEFF500", "NEDSZAJJ", "BOTKJPJT", "UNCRIT2B912"])
def test_swift_codes(code):
    assert swift_code(code)


@pytest.mark.parametrize("code", ["DEUTXXFF", "deutdeff", "DEUTDEF", "DEUTDEFF50", "DEU1DEFF"])
def test_no_swift_codes(code):
    assert not swift_code(code)


# Numbers that the brands publish for tests.
@pytest.mark.parametrize(
    "number",
    [
        "4111111111111111",
        "4222222222222",
        "5555555555554444",
        "2223003122003222",
        "378282246310005",
        "3530111333300000",
        "30569309025904",
        "38520000023237",
        "6011111111111117",
        "6200000000000005",
        "6759649826438453",
        "5019717010103742",
        "2201382000000013",
    ],
)
def test_payment_cards(number):
    assert stdnum.luhn.is_valid(number)
    assert payment_card(number)
    assert not payment_card(number[:-1] + str((int(number[-1]) + 1) % 10))
    assert not payment_card("9" + number[1:])
    assert not payment_card(number + "0000000")


# Made up, with the check digit of the other implementation: brands and lengths of which no test number is published.
@pytest.mark.parametrize(
    ("prefix", "length"),
    [
        ("1800382", 15),  # JCB
        ("3530382", 17),
        ("3530382", 19),
        ("1220382", 15),  # UATP
        ("3056382", 15),  # Diners Club
        ("3056382", 19),
        ("3600382", 19),
        ("3852382", 19),
        ("2201382", 17),  # Mir
        ("2201382", 19),
    ],
)
def test_lengths_of_brands(prefix, length):
    body = prefix.ljust(length - 1, "0")
    assert payment_card(body + stdnum.luhn.calc_check_digit(body))
    longer = prefix.ljust(19, "0")
    assert not payment_card(longer + stdnum.luhn.calc_check_digit(longer))


@pytest.mark.parametrize(("prefix", "length"), [("1800382", 16), ("1220382", 16), ("2131382", 16), ("3510382", 17)])
def test_lengths_that_their_brands_do_not_use(prefix, length):
    body = prefix.ljust(length - 1, "0")
    assert not payment_card(body + stdnum.luhn.calc_check_digit(body))


@given(digits | digits.map(lambda n: n + stdnum.luhn.calc_check_digit(n)))
def test_a_payment_card_passes_luhn(number):
    assert not payment_card(number) or stdnum.luhn.is_valid(number)


@pytest.mark.parametrize("number", ["", "4", "0000000000000000", "6666666666666", "41111111111111111"])
def test_no_payment_cards(number):
    assert not payment_card(number)
