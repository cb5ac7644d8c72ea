import importlib
import random
import string

import pytest
import stdnum.cn.ric
import stdnum.fr.nir
import stdnum.it.codicefiscale
import stdnum.mx.curp

from sekisho.inspect.validators import VALIDATORS
from sekisho.inspect.validators_lettered import LETTERED_VALIDATORS, compact, passport_mrz, seven_three_one

LETTERS = string.ascii_uppercase


class Dice(random.Random):
    """Draws the parts of which these numbers are made. A day is never the 29th: not all look at leap years."""

    def of(self, alphabet, size=1):
        return "".join(self.choices(alphabet, k=size))

    def digits(self, size):
        return self.of(string.digits, size)

    def day(self):
        return f"{self.choice([*range(29), 30, 31, 32]):02}"

    def month(self):
        return f"{self.randrange(14):02}"

    def checked(self, body, calc, size=1):
        """With a check mark by the other implementation, or any."""
        try:
            return body + (calc(body) if self.random() < 0.7 else self.digits(size))
        except ValueError:
            return body + self.digits(size)


def dni(dice):
    return dice.of("0123456789XYZ") + dice.digits(7) + dice.of(LETTERS)


def nir(dice):
    place = dice.choice([dice.digits(2), "2A", "2B"])
    body = dice.of("123478") + dice.digits(2) + dice.of("01") + dice.digits(1) + place + dice.digits(6)
    return dice.checked(body, stdnum.fr.nir.calc_check_digits, 2)


def codice_fiscale(dice):
    year = dice.choice([dice.digits(2), dice.of("LMNPQRSTUV", 2)])
    day = f"{dice.choice([*range(29), 30, 31, 32]) + dice.choice((0, 40)):02}"
    body = dice.of(LETTERS, 6) + year + dice.of("ABCDEFHLMPRST") + day + dice.of(LETTERS) + dice.digits(3)
    return dice.checked(body, stdnum.it.codicefiscale.calc_check_digit)


def hetu(dice):
    sign, mark = dice.of("+-ABCDEFGUVWXYZ"), dice.of(string.digits + "ABCDEFHJKLMNPRSTUVWXY")
    return dice.day() + dice.month() + dice.digits(2) + sign + dice.of("012345678") + dice.digits(2) + mark


def pps(dice):
    return dice.digits(7) + dice.of(LETTERS) + dice.choice(["", *"WABTXQ"])


def pan(dice):
    return dice.of(LETTERS, 5) + dice.choice([dice.digits(4), "0000"]) + dice.of(LETTERS)


def resident_id(dice):
    body = "11010" + dice.of("15") + dice.choice(["19", "20"]) + dice.of("01") + dice.digits(1) + dice.month()
    return dice.checked(body + dice.day() + dice.digits(3), stdnum.cn.ric.calc_check_digit)


def curp(dice):
    name = dice.of("BCDFG") + dice.of("AEIOU") + dice.of("HJKLM", 2)
    state = dice.choice(["DF", "NE", "AS", "JC", "XX", "ZZ"])
    body = name + dice.digits(2) + dice.month() + dice.day() + dice.of("HM") + state + dice.of("BCDFG", 3)
    return dice.checked(body + dice.of("0123456789AB"), stdnum.mx.curp.calc_check_digit)


PAIRS = {
    "es_dni": ("es.dni", "es.nie", dni),
    "fr_nir": ("fr.nir", "", nir),
    "it_codice_fiscale": ("it.codicefiscale", "", codice_fiscale),
    "fi_hetu": ("fi.hetu", "", hetu),
    "ie_pps": ("ie.pps", "", pps),
    "in_pan": ("in_.pan", "", pan),
    "cn_resident_id": ("cn.ric", "", resident_id),
    "mx_curp": ("mx.curp", "", curp),
}


@pytest.mark.parametrize("name", PAIRS)
def test_agrees_with_stdnum(name):
    *modules, draw = PAIRS[name]
    checks = [importlib.import_module(f"stdnum.{module}").is_valid for module in modules if module]
    dice = Dice(20240131)
    numbers = [draw(dice) for _ in range(4000)]
    valid = {number for number in numbers if any(check(number) for check in checks)}
    if name == "fr_nir":  # months are not looked at there: 20 and more stand for an unknown one
        valid = {n for n in valid if 1 <= int(n[3:5]) <= 12}
        numbers = [n for n in numbers if int(n[3:5]) <= 12]
    assert {number for number in numbers if VALIDATORS[name](number)} == valid
    assert len(valid) >= 40


def test_all_of_them_can_be_named_in_a_rule():
    assert LETTERED_VALIDATORS.items() <= VALIDATORS.items()


def test_compact():
    assert compact("12.345-678 z/9") == "12345678Z9"


# The examples of those who give the numbers out.
@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("uk_nino", "AB 12 34 56 C"),
        ("uk_driving_licence", "MORGA657054SM9IJ"),  # DVLA
        ("de_social_security", "15 070649 C 103"),  # Deutsche Rentenversicherung
        ("de_social_security", "02 070649 C 108"),  # cross sums 0+2+0+8+0+6+8+9+0+3+2+0 = 38
        ("de_social_security", "89 070649 C 102"),  # 7+9+0+8+0+6+8+9+0+3+2+0 = 52
        ("de_social_security", "15 570649 C 104"),  # 2+5+1+8+0+6+8+9+0+3+2+0 = 44; 50 added to the day
        ("de_id_card", "L01X00T47"),  # printed on the specimen of the identity card
        ("de_id_card", "L01X00T471"),
        ("de_id_card", "C01X00T478"),  # the specimen of the passport
        ("sg_nric", "S9108268C"),
        ("sg_nric", "T7572225C"),
        ("sg_nric", "F2346401L"),
        ("sg_nric", "M4332674T"),
        ("us_dea", "AB1234563"),
        ("fr_nir", "2 55 08 14 168 025 38"),
        ("fi_hetu", "131052-308T"),
        ("fi_hetu", "131052-002X"),  # 131052002 mod 31 = 27
        ("mx_curp", "BOXW310820HNERXN09"),
    ],
)
def test_examples(name, number):
    assert VALIDATORS[name](number)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("uk_nino", "QQ 12 34 56 C"),  # a prefix that is never given out
        ("uk_nino", "GB 12 34 56 C"),
        ("uk_nino", "AB 12 34 56 E"),
        ("uk_nino", "AB 00 00 00 C"),
        ("uk_driving_licence", "MORGA673054SM9IJ"),  # month 73
        ("uk_driving_licence", "MORGA657054SM9I"),
        ("uk_driving_licence", "MORGA663054SM9IJ"),  # month 63
        ("uk_driving_licence", "MORGA6570549M9IJ"),  # 9 for the first initial: everybody has one
        ("fi_hetu", "131052-001W"),  # serials begin at 002; the check mark is right
        ("de_social_security", "15 070649 C 104"),
        ("de_social_security", "15 320649 C 103"),
        ("de_social_security", "01 070649 C 107"),  # no such areas; the check digits are right
        ("de_social_security", "90 070649 C 105"),
        ("de_id_card", "L01X00T472"),
        ("de_id_card", "CFGHJKLMN"),  # a word
        ("sg_nric", "S9108269C"),
        ("sg_nric", "A1234567Z"),
        ("us_dea", "AB1234564"),
        ("us_dea", "QB1234563"),
        ("in_pan", "ABCND1234Z"),
    ],
)
def test_none_of_these(name, number):
    assert not VALIDATORS[name](number)


# The specimens of ICAO 9303, parts 4 (TD3), 5 (TD1) and 6 (TD2).
TD3 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
TD1 = "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<"
TD2 = "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD231458907UTO7408122F1204159<<<<<<<6"


@pytest.mark.parametrize("zone", [TD1, TD2, TD3])
def test_machine_readable_zones(zone):
    assert passport_mrz(zone)
    assert not passport_mrz(zone.replace("740812", "740813"))
    assert not passport_mrz(zone.replace("120415", "120416"))
    assert not passport_mrz(zone.partition("\n")[0])


# The specimen of ICAO 9303-11 appendix D.2; and a number whose check digit would be another if the filler counted.
LONG_TD1 = "I<UTOD23145890<7349<<<<<<<<<<<\n3407127M9507122UTO<<<<<<<<<<<2\nSTEVENSON<<PETER<JOHN<<<<<<<<<"
LONGER_TD1 = LONG_TD1.replace("D23145890<7349<<", "600001795<0152<X")


@pytest.mark.parametrize(("zone", "number"), [(LONG_TD1, "D23145890734"), (LONGER_TD1, "600001795015")])
def test_a_document_number_longer_than_its_field_goes_on_in_the_optional_one(zone, number):
    check = str(seven_three_one(number))
    assert zone[5:19] == f"{number[:9]}<{number[9:]}{check}"
    assert passport_mrz(zone)
    assert not passport_mrz(zone[:18] + str((int(check) + 1) % 10) + zone[19:])
    assert not passport_mrz(zone[:15] + str((int(number[9]) + 1) % 10) + zone[16:])


def test_a_filler_for_the_check_digit_says_that_the_number_goes_on():
    check = seven_three_one("D23145890")
    assert passport_mrz(LONG_TD1.replace("<7349", f"{check}<<<<"))
    assert not passport_mrz(LONG_TD1.replace("<7349", f"<{check}<<<"))
    assert not passport_mrz(LONG_TD1.replace("<7349", "<<<<<"))
    assert not passport_mrz(LONG_TD1.replace("<7349", "07349"))  # a wrong digit is no filler


# The specimen of ICAO 9303-11 appendix D.2.
LONG_TD2 = "I<UTOSTEVENSON<<PETER<JOHN<<<<<<<<<<\nD23145890<UTO3407127M95071227349<<<8"


def test_a_long_document_number_of_a_td2():
    lower = LONG_TD2.partition("\n")[2]
    assert str(seven_three_one(lower[:10] + lower[13:20] + lower[21:35])) == lower[35]  # the composite check digit
    assert seven_three_one("D23145890734") == int(lower[31])
    assert passport_mrz(LONG_TD2)
    assert not passport_mrz(LONG_TD2.replace("7349<", "7348<"))
    assert not passport_mrz(LONG_TD2.replace("7349<", "7449<"))
    assert not passport_mrz(LONG_TD2.replace("7349<", "<<<<<"))
    assert passport_mrz(LONG_TD2.replace("D23145890<", f"D23145890{seven_three_one('D23145890')}"))


def test_a_passport_has_no_place_for_the_rest_of_a_number():
    """In a TD3 the personal number follows: what it begins with is not the passport's."""
    line = TD3.partition("\n")[2]
    check = seven_three_one(f"{line[:9]}734")
    assert not passport_mrz(TD3.replace(line, f"{line[:9]}<{line[10:28]}734{check}<{line[33:]}"))


def test_seven_three_one():
    assert seven_three_one("520727") == 3  # ICAO 9303-3 4.9, example 1
    assert seven_three_one("AB2134<<<") == 5  # example 2
