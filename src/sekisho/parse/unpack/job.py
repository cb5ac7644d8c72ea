"""The job of an opening process: a request in, what was found out."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import msgspec
import yara_x

from sekisho.mail.opened import JobConfiguration, Opened, OpenRequest
from sekisho.parse.unpack import rehearsal, yara
from sekisho.parse.unpack.document import ocr
from sekisho.parse.unpack.opening import Step
from sekisho.parse.unpack.run import unpack
from sekisho.parse.unpack.table import LOOKS, WARM

_requests = msgspec.msgpack.Decoder(OpenRequest)
_configurations = msgspec.msgpack.Decoder(JobConfiguration)
_encoder = msgspec.msgpack.Encoder()


def prepare(configuration: bytes) -> Callable[[bytes], bytes]:
    """Called once in a process before it is confined: imports, loads and tries all that opening will need.

    `configuration` is a `JobConfiguration` as msgpack, or b"" for its defaults. Raises msgspec.DecodeError, and
    OSError or ValueError where the YARA rules are not those of this version of YARA-X, RuntimeError where there is no
    OCR.
    """
    told = _configurations.decode(configuration) if configuration else JobConfiguration()
    looks = _looks(told)
    for warm in WARM:
        warm()
    if told.ocr:
        ocr.enable()

    def job(request: bytes) -> bytes:
        return _encoder.encode(unpack(_requests.decode(request), looks))

    job(_encoder.encode(rehearsal.request()))
    return job


def decode(answer: bytes) -> Opened:
    """Read an answer. Raises msgspec.DecodeError."""
    return msgspec.msgpack.decode(answer, type=Opened)


def _looks(configuration: JobConfiguration) -> tuple[Step, ...]:
    if not configuration.yara:
        return LOOKS
    return (*LOOKS, yara.look(yara_x.Rules.deserialize_from(BytesIO(configuration.yara))))
