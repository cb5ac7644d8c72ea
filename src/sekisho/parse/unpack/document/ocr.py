"""Text in pictures, read by Tesseract where the extra "ocr" and its language data are installed; off until enabled.

The model is loaded before the process is confined, and one thread is enough: a confined process can start none.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from PIL.Image import Image, new

from sekisho.parse.links import text_links
from sekisho.parse.unpack.opening import Opening

os.environ.setdefault("OMP_THREAD_LIMIT", "1")  # read when the library is loaded
try:
    tesserocr: Any = import_module("tesserocr")
except ImportError:
    tesserocr = None

LANGUAGES = ("jpn", "eng")
LONGEST = 2600  # pixels of the longer side: A4 at 220 dots an inch
_PLACES = ("/usr/share/tesseract-ocr/5/tessdata", "/usr/share/tesseract-ocr/4.00/tessdata", "/usr/share/tessdata")
_SMALLEST = (100, 24)  # pixels of the longer and the shorter side; icons hold no sentence
_MOST_SECONDS = 3.0  # for one picture
_SHARE = 0.5  # of what is left for the message
_reader: list[Any] = []  # the loaded engine, once enabled


def available(languages: tuple[str, ...] = LANGUAGES) -> str:
    """What is missing for reading text in pictures, in words for an administrator; an empty string if nothing."""
    if tesserocr is None:
        return "the package tesserocr is not installed (the extra sekisho[ocr])"
    known: set[str] = set().union(*map(_languages, _PLACES))
    missing = [language for language in languages if language not in known]
    if missing:
        packages = ", ".join(f"tesseract-ocr-{language}" for language in missing)
        return f"no language data for {', '.join(missing)} (Debian: {packages})"
    return ""


def _languages(place: str) -> set[str]:
    """The languages whose data is in a directory."""
    try:
        return set(tesserocr.get_languages(place)[1])
    except RuntimeError:  # no such directory
        return set()


def identity(languages: tuple[str, ...] = LANGUAGES) -> tuple[str, ...]:
    """What decides how a picture is read: the engine's and the binding's version, the data's folder, the languages.

    Empty where text in pictures cannot be read.
    """
    if available(languages):
        return ()
    return (tesserocr.tesseract_version(), tesserocr.__version__, _place(languages), *languages)


def _place(languages: tuple[str, ...]) -> str:
    """The first folder with the data of all of them."""
    return next(p for p in _PLACES if set(languages) <= _languages(p))


def enable(languages: tuple[str, ...] = LANGUAGES) -> None:
    """Load the engine, to be called before the process is confined. Raises RuntimeError with what is missing."""
    if why := available(languages):
        raise RuntimeError(why)
    place = _place(languages)
    engine = tesserocr.PyTessBaseAPI(path=place, lang="+".join(languages), psm=tesserocr.PSM.AUTO)
    engine.SetImage(new("L", (64, 64), 255))
    engine.GetUTF8Text()
    _reader[:] = [engine]


def disable() -> None:
    """Give the engine back."""
    while _reader:
        _reader.pop().End()


def enabled() -> bool:
    """Whether pictures are read here."""
    return bool(_reader)


def read_text(grey: Image, opening: Opening, place: str = "") -> None:
    """Tell of the text in a picture, within three seconds and half of the time left. Does nothing until enabled."""
    shorter, longer = sorted(grey.size)
    if not _reader or longer < _SMALLEST[0] or shorter < _SMALLEST[1]:
        return
    left = min(_MOST_SECONDS, _SHARE * opening.budget.seconds_left)
    if left < 0.1:
        opening.budget.check_time()
        return
    engine = _reader[0]
    engine.SetImage(grey)
    engine.Recognize(int(left * 1000))
    text = engine.GetUTF8Text()
    engine.Clear()
    opening.text(text, f"{place} picture".strip())
    for address in text_links(text):
        opening.link(address, origin="other")
