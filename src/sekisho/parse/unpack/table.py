"""Which functions open which kind of file, and which look at every file. The one place to add a format."""

from __future__ import annotations

from collections.abc import Callable

from sekisho.parse.unpack import names
from sekisho.parse.unpack.active import onenote, polyglot, programs, scripts, shortcuts
from sekisho.parse.unpack.archive import archives, compressed, library, slow_keys, streams, zip_passwords
from sekisho.parse.unpack.archive import zip as zip_file
from sekisho.parse.unpack.disk import image as disk
from sekisho.parse.unpack.document import html_file, images, pdf, rtf, svg, text_file
from sekisho.parse.unpack.mail import eml, msg, pgp, smime, tnef
from sekisho.parse.unpack.office import crypto as office_crypto
from sekisho.parse.unpack.office import flat as office_flat
from sekisho.parse.unpack.office import odf, ole, ooxml
from sekisho.parse.unpack.office import sylk as office_sylk
from sekisho.parse.unpack.opening import Step

# A kind may stand in several rows; its steps are taken in their order.
_ROWS: tuple[tuple[str, Step], ...] = (
    ("zip jar apk appx", zip_file.open_zip),
    (archives.KINDS, archives.open_archive),
    (archives.UNREADABLE_KINDS, archives.open_unreadable),
    ("exe elf macho", archives.open_self_extracting),
    (compressed.KINDS, compressed.open_compressed),
    ("uu text", compressed.open_uuencoded),
    ("exe", programs.open_exe),
    ("elf", programs.open_elf),
    ("macho", programs.open_macho),
    ("jar", programs.open_jar),
    (" ".join(programs.PLAIN_KINDS), programs.open_plain),
    ("zip appx", programs.open_package),
    ("xar", programs.open_xar),
    ("unknown", programs.open_unknown),
    (" ".join(scripts.SCRIPT_KINDS), scripts.open_script),
    ("lnk", shortcuts.open_lnk),
    ("url", shortcuts.open_url),
    ("desktop", shortcuts.open_desktop),
    ("webloc", shortcuts.open_webloc),
    (" ".join(shortcuts.WINDOWS_XML_KINDS), shortcuts.open_windows_xml),
    ("rdp", shortcuts.open_rdp),
    ("iqy", shortcuts.open_web_query),
    ("onenote", onenote.open_onenote),
    ("eml", eml.open_eml),
    ("mbox", eml.open_mbox),
    ("msg", msg.open_msg),
    ("ole doc xls ppt visio publisher encrypted-office msi", msg.open_disguised_msg),
    ("tnef", tnef.open_tnef),
    ("p7m p7s", smime.open_smime),
    ("pgp", pgp.open_pgp),
    ("disk", disk.open_disk),
    ("vhd", disk.open_vhd),
    ("vhdx", disk.open_vhdx),
    ("vmdk", disk.open_vmdk),
    ("udf", disk.open_udf),
    ("dmg wim", disk.open_other_image),
    ("pdf", pdf.open_pdf),
    ("rtf", rtf.open_rtf),
    ("png jpeg gif bmp tiff webp", images.open_image),
    ("html", html_file.open_html),
    ("svg", svg.open_svg),
    ("csv", text_file.open_csv),
    ("text", text_file.open_text),
    ("docx docm dotx dotm xlsx xlsm xlsb xltx xltm xlam", ooxml.open_ooxml),
    ("pptx pptm ppsx ppsm potx potm vsdx", ooxml.open_ooxml),
    ("odt ods odp odg", odf.open_odf),
    ("doc xls ppt ole visio publisher encrypted-office", ole.open_ole),
    ("xml", office_flat.open_flat_office),
    ("slk", office_sylk.open_sylk),
)


def _openers() -> dict[str, tuple[Step, ...]]:
    steps: dict[str, tuple[Step, ...]] = {}
    for kinds, step in _ROWS:
        for kind in kinds.split():
            steps[kind] = (*steps.get(kind, ()), step)
    return steps


OPENERS = _openers()
LOOKS: tuple[Step, ...] = (
    names.look_at_name,
    polyglot.look_for_second_nature,
    shortcuts.look_at_named_files,
    scripts.look_at_named_script,
    disk.note_image,
)
# Called once before a process is confined: whatever a library reads or loads at first use.
WARM: tuple[Callable[[], None], ...] = (
    library.warm,
    streams.warm,
    zip_passwords.warm,
    slow_keys.warm,
    pdf.warm,
    text_file.warm,
    eml.warm,
    office_crypto.warm,
)
