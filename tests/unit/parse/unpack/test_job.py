"""The job of an opening process, with the rules that ship with the gateway."""

import io
import zipfile
from pathlib import Path

import msgspec
import pytest

from sekisho.inspect.yara_rules import load_yara
from sekisho.mail.finding import Severity
from sekisho.mail.opened import Attachment, JobConfiguration, OpenRequest
from sekisho.parse.unpack import job

RULES = Path(__file__).parents[4] / "rules"
# https://www.eicar.org/download-anti-malware-testfile/, in two pieces so that this file is not one
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-" + rb"ANTIVIRUS-TEST-FILE!$H+H*"


@pytest.fixture(scope="module")
def opened():
    compiled, problems = load_yara([RULES])
    assert problems == []
    run = job.prepare(msgspec.msgpack.encode(JobConfiguration(compiled)))

    def opened(name, content):
        request = OpenRequest((Attachment("1", name, "application/octet-stream", content),))
        return job.decode(run(msgspec.msgpack.encode(request)))

    return opened


def zipped(files):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return whole.getvalue()


def eicar_paths(answer):
    return [f.path for f in answer.findings if f.rule == "malware/eicar" and f.severity is Severity.CRITICAL]


@pytest.mark.parametrize("tail", [b"", b"\r\n", b" \t\n\x1a", b" " * 60])
def test_eicar_as_text(opened, tail):
    assert eicar_paths(opened("eicar.com", EICAR + tail)) == ["eicar.com"]


@pytest.mark.parametrize("other", [b"x" + EICAR, EICAR + b"x", EICAR[:-1], EICAR + b" " * 61, b"see: " + EICAR])
def test_a_text_about_eicar_is_not_eicar(opened, other):
    assert eicar_paths(opened("eicar.txt", other)) == []


def test_eicar_in_zip_in_zip(opened):
    inner = zipped({"eicar.com": EICAR})
    assert eicar_paths(opened("a.zip", zipped({"inner.zip": inner}))) == ["a.zip/inner.zip/eicar.com"]


def test_eicar_in_docx(opened):
    types = (
        '<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="bin" ContentType="application/octet-stream"/><Override PartName="/word/document.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
    )
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relationships = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
        f'Type="{office}/%s" Target="%s"/></Relationships>'
    )
    document = (
        '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body/></w:document>'
    )
    content = zipped(
        {
            "[Content_Types].xml": types,
            "_rels/.rels": relationships % ("officeDocument", "word/document.xml"),
            "word/document.xml": document,
            "word/_rels/document.xml.rels": relationships % ("package", "embeddings/object.bin"),
            "word/embeddings/object.bin": EICAR,
        }
    )
    paths = eicar_paths(opened("letter.docx", content))
    assert len(paths) == 1
    assert paths[0].startswith("letter.docx/")


def test_without_rules_nothing_is_compared():
    run = job.prepare(b"")
    answer = job.decode(run(msgspec.msgpack.encode(OpenRequest((Attachment("1", "eicar.com", "", EICAR),)))))
    assert eicar_paths(answer) == []


def test_broken_rules_are_refused_at_the_start():
    with pytest.raises(OSError, match="YARA-X"):
        job.prepare(msgspec.msgpack.encode(JobConfiguration(b"no rules")))
    with pytest.raises(msgspec.DecodeError):
        job.prepare(b"\xc1")
