import pytest

from sekisho.inspect.exact.source import Source, SourceError


def read(tmp_path, content, name="x.csv", **how):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    source = Source(path, **how)
    return source, list(source.rows())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
def test_encodings(tmp_path, encoding):
    source, rows = read(tmp_path, "氏名,住所\r\n山田 太郎,東京都①\r\n".encode(encoding))
    assert source.headings == ("氏名", "住所")
    assert rows == [(2, ["山田 太郎", "東京都①"])]


def test_an_encoding_that_is_said(tmp_path):
    _, rows = read(tmp_path, "氏名\n山田\n".encode("euc-jp"), encoding="euc-jp")
    assert rows == [(2, ["山田"])]


@pytest.mark.parametrize(
    ("content", "encoding", "told"),
    [
        ("氏名\nあ\n山田\n".encode("cp932"), "utf-8", "line 1 is not utf-8"),
        ("name\nx\n山田\n".encode("cp932"), "utf-8", "line 3 is not utf-8"),
        (b"name\n\xff\x81\n", "", "line 2 is not utf-8, and line 2 is not cp932"),
        (b"name\n", "klingon", 'no encoding called "klingon"'),
        (b"PK\x03\x04", "", "workbook"),
        (b"a\0b\n", "", "line 1 is not utf-8"),
        (b"", "", "is empty"),
        (b"\n\n", "", "is empty"),
        (b"a,a\n", "", 'two columns are called "a"'),
        (b"a,\n", "", "column 2 has no heading"),
        (b",".join(b"x%d" % n for n in range(101)), "", "101 columns"),
    ],
)
def test_what_cannot_be_read(tmp_path, content, encoding, told):
    with pytest.raises(SourceError, match=told):
        read(tmp_path, content, encoding=encoding)


def test_an_undecodable_line_far_into_the_file(tmp_path):
    with pytest.raises(SourceError, match="line 400001 is not utf-8;"):
        read(tmp_path, b"name\n" + "山田\n".encode() * 399_999 + b"\x81", encoding="utf-8")


def test_rows(tmp_path):
    content = 'a,b\n"x\ny",1\n\n , \nshort\nlong,2,,\nlast,3'
    _, rows = read(tmp_path, content)
    assert rows == [(2, ["x\ny", "1"]), (6, ["short"]), (7, ["long", "2", "", ""]), (8, ["last", "3"])]


def test_wrong_rows(tmp_path):
    with pytest.raises(SourceError, match=r"x\.csv:3: has 3 cells, but there are 2 columns"):
        read(tmp_path, "a,b\n1,2\n1,2,3\n")
    with pytest.raises(SourceError, match=r"x\.csv:2: cannot be read as a table"):
        read(tmp_path, 'a,b\n"x"y,2\n')


def test_separators(tmp_path):
    assert read(tmp_path, "a\tb\n1,5\t2\n", "x.tsv")[1] == [(2, ["1,5", "2"])]
    assert read(tmp_path, "a;b\n1,5;2\n")[1] == [(2, ["1,5", "2"])]
    assert read(tmp_path, "a\tb\n1\t2\n", "x.txt")[1] == [(2, ["1", "2"])]


def test_no_headings(tmp_path):
    source, rows = read(tmp_path, "x,1\ny,2\n", headings=False)
    assert source.headings == ("column 1", "column 2")
    assert [line for line, _ in rows] == [1, 2]
