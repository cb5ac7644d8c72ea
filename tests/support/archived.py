"""Messages with attachments, and attachments made by hand."""

import base64
import gzip
import io
import zipfile

# The test file that every scanner reports, in two pieces so that none reports this file. Source: eicar.org
EICAR = (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*").encode()


def with_attachments(identity, *attachments, body="Hello\r\n", sender="hanako@example.com", to="taro@example.net"):
    """A message; each attachment is (file name, octets)."""
    first = (
        f"From: <{sender}>\r\nTo: <{to}>\r\nSubject: {identity}\r\nDate: Tue, 24 Nov 2026 10:00:00 +0900\r\n"
        f"Message-ID: <{identity}@example.com>\r\nX-Test-Id: {identity}\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=outer\r\n\r\n"
        f"--outer\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n"
    )
    lines = [first]
    for name, content in attachments:
        lines.append(
            f'--outer\r\nContent-Type: application/octet-stream; name="{name}"\r\n'
            f'Content-Disposition: attachment; filename="{name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
            + base64.encodebytes(content).decode().replace("\n", "\r\n")
        )
    return "".join([*lines, "--outer--\r\n"]).encode()


def zipped(files, compression=zipfile.ZIP_DEFLATED):
    """A ZIP archive of {name: octets}."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def docx(text="Hello", extra=None):
    """The smallest Word document, with further parts {name: octets}."""
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    package = "http://schemas.openxmlformats.org/package/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    types = (
        f'<Types xmlns="{package}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{main}"/></Types>'
    )
    relations = (
        f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{office}" Target="word/document.xml"/></Relationships>'
    )
    document = f'<w:document xmlns:w="{word}"><w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>'
    parts = {"[Content_Types].xml": types, "_rels/.rels": relations, "word/document.xml": document}
    return zipped({**{name: part.encode() for name, part in parts.items()}, **(extra or {})})


def nested_bomb(levels=5, width=12, leaf=10_000_000):
    """ZIPs in ZIPs that unpack to `width` ** `levels` times `leaf` octets."""
    content = bytes(leaf)
    for level in range(levels):
        content = zipped({f"{level}-{number}.zip": content for number in range(width)})
    return content


def gzip_bomb(size=2_000_000_000):
    """A gzip file of a few megabytes that unpacks to `size` zeros."""
    block = gzip.compress(bytes(50_000_000), 9)
    return block * (size // 50_000_000)
