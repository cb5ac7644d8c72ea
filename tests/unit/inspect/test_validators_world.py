import importlib
import random
import re

import pytest

from sekisho.inspect.validators import VALIDATORS
from sekisho.inspect.validators_world import NUMBERS, WORLD_VALIDATORS, phone_like

# The other implementation; the shape of the number (9 any digit, YY MM DD a date that now and then is none); and what
# the two see in different ways, as an expression over numbers that are not compared, with the reason.
PAIRS = {
    # The groups 50 to 65 came in 2013 (IRS, Publication 1915).
    "us_itin": ("us.itin", "999999999", "...[56]"),
    "us_ein": ("us.ein", "999999999", "123456789|987654321"),
    # No bank has a number outside the Federal Reserve's ranges.
    "us_routing": ("us.rtn", "999999999", "(?!0|1[0-2]|2[1-9]|3[0-2]|6[1-9]|7[0-2]|80)"),
    "us_ssn": ("us.ssn", "999999999", "123456789|987654321"),
    "uk_nhs": ("gb.nhs", "9999999999", ""),
    # The authority's rule about three in a row is not in the other; its own samples have ten different digits.
    "de_steuer_id": ("de.idnr", "99999999999", r".*(.)\1\1|(?!.{0,8}(.).{0,8}\2.)"),
    "nl_bsn": ("nl.bsn", "999999999", ""),
    "pl_pesel": ("pl.pesel", "YYMMDD99999", ""),
    # Here also who is not registered as living there (months +20, +40) and born until 2040; days are days or 00.
    "be_national": ("be.nn", "YYMMDD99999", "..[2-9]|....(?:3[12]|[4-9])|2[5-9]|3|40"),
    # Here also who is not registered as living there (days +60).
    "se_personnummer": ("se.personnummer", "YYMMDD9999", "....[6-9]"),
    # Here also who is not born yet.
    "dk_cpr": ("dk.cpr", "DDMMYY9999", "....(?:2[5-9]|3|40)"),
    "no_fodselsnummer": ("no.fodselsnummer", "DDMMYY99999", "....(?:2[5-9]|3)"),
    # Of the numbers from 4 on only 45 is given out.
    "pt_nif": ("pt.nif", "999999999", "4[^5]"),
    "at_svnr": ("at.vnr", "9999DDMMYY", ""),
    "cz_rc": ("cz.rc", "YYMMDD9999", ""),
    "ro_cnp": ("ro.cnp", "9YYMMDD999999", "0|[56](?:2[5-9]|[3-9])"),
    "bg_egn": ("bg.egn", "YYMMDD9999", ""),
    "hr_oib": ("hr.oib", "99999999999", ""),
    "gr_amka": ("gr.amka", "DDMMYY99999", ""),
    "baltic_code": ("ee.ik", "9YYMMDD9999", ""),
    "si_emso": ("si.emso", "DDMM099999999", ""),
    "ch_ahv": ("ch.ssn", "7569999999999", ""),
    "tr_kimlik": ("tr.tckimlik", "99999999999", ""),
    # Companies (days +40) are no persons.
    "is_kennitala": ("is_.kennitala", "DDMMYY9999", "[4-7]"),
    "il_id": ("il.idnr", "999999999", ""),
    # Digit 12 is 8 or 9 since the eighties, when the older numbers were replaced; 2 in digit 11 is a refugee.
    "za_id": ("za.idnr", "YYMMDD9999999", ".{10}2|.{11}[0-7]"),
    "au_tfn": ("au.tfn", "999999999", ""),
    "au_abn": ("au.abn", "99999999999", ""),
    "au_acn": ("au.acn", "999999999", ""),
    "ca_sin": ("ca.sin", "999999999", ""),
    "in_aadhaar": ("in_.aadhaar", "999999999999", ""),
    # Since 2020 the last six digits are drawn by lot; who was born before 1900 is left out.
    "kr_rrn": ("kr.rrn", "YYMMDD9999999", ".{6}[09]|(?:[23]|40)|.{7}9[7-9]"),
    "br_cpf": ("br.cpf", "99999999999", ""),
    # Provinces are 10 to 96.
    "th_pin": ("th.pin", "9999999999999", "9|.(?:0|9[7-9])"),
}


def filled(dice, shape):
    """A number of a shape. A day is never the 29th: not all of these look at whether the year has a 29 February."""
    fields = {
        "YY": lambda: dice.randrange(100),
        "MM": lambda: (
            dice.randrange(1, 13) + dice.choice((0, 0, 0, 0, 20, 40, 50, 80)) - dice.choice((0,) * 9 + (13,))
        ),
        "DD": lambda: dice.choice([*range(1, 29), 0, 30, 31, 32]) + dice.choice((0, 0, 0, 0, 40, 60)),
    }
    for field, draw in fields.items():
        shape = shape.replace(field, f"{max(draw(), 0):02}")
    return re.sub("9", lambda _: str(dice.randrange(10)), shape)


def numbers(shape, seed=20240131):
    """Random ones, and of every fourth all that differ in the last two digits: some of these pass any check."""
    dice = random.Random(seed)
    for n in range(300):
        number = filled(dice, shape)
        yield number
        if n % 4 == 0:
            yield from (f"{number[:-2]}{end:02}" for end in range(100))


@pytest.mark.parametrize("name", PAIRS)
def test_agrees_with_stdnum(name):
    module, shape, disputed = PAIRS[name]
    valid_there = importlib.import_module(f"stdnum.{module}").is_valid
    compared = [n for n in numbers(shape) if not (disputed and re.match(disputed, n))]
    differing = [n for n in compared if VALIDATORS[name](n) != valid_there(n) and len(set(n)) > 1]
    assert differing == []
    assert sum(map(valid_there, compared)) >= 5


def test_every_number_is_compared_or_tested_here():
    assert set(NUMBERS) - set(PAIRS) == {"us_npi", "au_medicare"}
    assert WORLD_VALIDATORS.items() <= VALIDATORS.items()


# The examples of those who give the numbers out, where python-stdnum has none or sees it in another way.
@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("us_npi", "1234567893"),  # CMS, "Requirements for NPI check digit"
        ("us_itin", "911-53-1234"),
        ("au_medicare", "2123 45670 1"),
        ("be_national", "85.07.30-033.28"),
        ("be_national", "17.07.30-033.84"),  # born in 2017
        ("de_steuer_id", "12 345 678 903"),
        ("dk_cpr", "211062-5629"),
        ("kr_rrn", "201105-3123456"),  # drawn by lot
        ("no_fodselsnummer", "151086 95088"),
        ("se_personnummer", "811228-9874"),  # Skatteverket's sample
        ("se_personnummer", "701063-2391"),  # born on the 3rd
    ],
)
def test_examples(name, number):
    assert VALIDATORS[name](number)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("us_npi", "1234567890"),
        ("us_npi", "3234567899"),  # begins with neither 1 nor 2
        ("us_itin", "911-49-1234"),
        ("us_routing", "130000000"),
        ("us_ein", "123456789"),
        ("de_steuer_id", "11123456789"),
        ("dk_cpr", "211045-5629"),
        ("be_national", "85.67.30-033.28"),
        ("au_medicare", "1123 45679 1"),  # begins with 1
        ("au_medicare", "2123 45671 1"),
        ("in_aadhaar", "0123 4567 8909"),
        ("in_aadhaar", "2000 1991 0002"),  # a palindrome with a right check digit
        ("ca_sin", "046 454 286"),  # a made-up number in the tax agency's own forms
        ("br_cpf", "111.111.111-11"),
        ("ro_cnp", "1530521996158"),
    ],
)
def test_none_of_these(name, number):
    assert not VALIDATORS[name](number)


@pytest.mark.parametrize("number", ["+44 20 7946 0000", "(212) 555-0100", "5550100", "+819012345678"])
def test_phone_like(number):
    assert phone_like(number)


@pytest.mark.parametrize("number", ["555010", "1111111111", "1212121212", "1234567890123456"])
def test_not_phone_like(number):
    assert not phone_like(number)
