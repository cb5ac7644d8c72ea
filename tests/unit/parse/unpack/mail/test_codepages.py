import subprocess
import sys

import pytest

from sekisho.parse.unpack.mail.codepages import decode, label_of, warm


@pytest.mark.parametrize(
    ("codepage", "codec"),
    [
        (932, "cp932"),
        (50220, "iso2022_jp"),
        (51932, "euc_jp"),
        (65001, "utf-8"),
        (1251, "cp1251"),
        (28592, "iso8859_2"),
        (1200, "utf-16-le"),
        (936, "gbk"),
    ],
)
def test_text_of_a_code_page(codepage, codec):
    text = "請求書" if codec not in {"cp1251", "iso8859_2"} else "Привет" if codec == "cp1251" else "Łódź"
    assert decode(text.encode(codec), codepage) == text


@pytest.mark.parametrize("codepage", [0, 20127, 77777, 0xFFFFFFFF])
def test_a_number_that_says_nothing(codepage):
    assert label_of(codepage) is None
    assert decode("請求書在中".encode("cp932"), codepage) == "請求書在中"


def test_warm_loads_codecs():
    program = (
        "import sys, encodings\nfrom sekisho.parse.unpack.mail.codepages import warm\nwarm()\n"
        "before = set(sys.modules)\n"
        "for c in ('cp932', 'iso2022_jp', 'euc_jp', 'gb18030', 'big5hkscs', 'cp949', 'koi8_u', 'cp874', 'utf_32'):\n"
        "    b'abc'.decode(c, 'replace')\nprint(sorted(set(sys.modules) - before))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    warm()
