"""What policy decided, per recipient, and what it wants changed on the way out."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal

from msgspec import Struct, to_builtins

from sekisho.mail.finding import Finding
from sekisho.mail.reply import Reply

NOT_MASKED = "dlp/not-masked"  # the finding that says why a redaction became a hold


class Disposition(IntEnum):
    """What happens to a message, from lenient to strict. There is no DISCARD: dropping mail lies to its sender."""

    DELIVER = 0
    HOLD = 1
    DEFER = 2
    REJECT = 3

    @classmethod
    def of(cls, word: str) -> Disposition:
        """Read "deliver", "hold", "defer" or "reject". Raises KeyError."""
        return cls[word.upper()]

    @property
    def word(self) -> str:
        """The disposition as policy and JSON write it: "hold"."""
        return self.name.lower()


HoldKind = Literal["quarantine", "approval", "delay"]


class Hold(Struct, frozen=True):
    """Why a message waits and what lets it go.

    `quarantine`: a reviewer; `approval`: an approver; `delay`: time, `delay_seconds` from its arrival.
    `expire_seconds` is when it stops waiting (None: the tenant's setting).
    """

    kind: HoldKind
    delay_seconds: int | None = None
    expire_seconds: int | None = None


class AddHeader(Struct, frozen=True, tag="add_header"):
    """Put a header on top of the others. `value` may be folded with CRLF and white space."""

    name: str
    value: str


class ChangeHeader(Struct, frozen=True, tag="change_header"):
    """Give the first header of this name a new value; add it where there is none."""

    name: str
    value: str


class DeleteHeader(Struct, frozen=True, tag="delete_header"):
    """Remove every header of this name."""

    name: str


class ReplacePart(Struct, frozen=True, tag="replace_part"):
    """Replace a MIME part's content (`part` "1.2") by text in UTF-8, under `content_type`."""

    part: str
    text: str
    content_type: str = "text/plain"


class DropPart(Struct, frozen=True, tag="drop_part"):
    """Take a MIME part out and leave a note in its place (`notice`, plain text)."""

    part: str
    notice: str


class AddRecipient(Struct, frozen=True, tag="add_recipient"):
    """One more recipient (a supervisor's blind copy)."""

    address: str


class DeleteRecipient(Struct, frozen=True, tag="delete_recipient"):
    """One recipient less."""

    address: str


class ChangeSender(Struct, frozen=True, tag="change_sender"):
    """Another reverse-path; None is the null reverse-path."""

    address: str | None


class Overwrite(Struct, frozen=True):
    """Other octets, as many, in the message's raw octets from `start` on."""

    start: int
    octets: bytes


class Redact(Struct, frozen=True, tag="redact"):
    """Mask what findings of these ids (`finding`, with `*` and `?`) found in subject and text parts.

    Policy names the findings; what has to be overwritten for it (`masks`) is worked out once the message is there.
    None: not yet, and a message with such a redaction does not leave. `headers` are the names of those in which
    something is masked; changes of their own give them their values.
    """

    finding: tuple[str, ...] = ()
    masks: tuple[Overwrite, ...] | None = None
    headers: tuple[str, ...] = ()


Modification = (
    AddHeader
    | ChangeHeader
    | DeleteHeader
    | ReplacePart
    | DropPart
    | AddRecipient
    | DeleteRecipient
    | ChangeSender
    | Redact
)


def modification_json(modification: Modification) -> dict[str, object]:
    """A modification as `check` and `hold show` print it: its type and keys; of a redaction, how many masks.

    The headers in which it masks something are named where there are any.
    """
    shown: dict[str, object] = to_builtins(modification)
    if isinstance(modification, Redact):
        shown["masks"] = len(modification.masks or ())
        if not modification.headers:
            del shown["headers"]
    return shown


class Verdict(Struct, frozen=True):
    """The decision for some recipients of one message.

    `recipients` are addresses; `policy_rule` the name of the rule that decided; `findings` those it matched;
    `hold` is there exactly when the disposition is HOLD; `reply` the rule's own text for REJECT and DEFER, else None;
    `notify` names whom to tell ("sender", "reviewer", "approver", "administrator"); `split`: let the verdicts of the
    other recipients be carried out apart; `would_have` lists "rule: disposition" of monitored rules that
    matched; `incident` names a kind of incident to open; `subject` is the subject with what was found in it masked,
    for notices (None: nothing was).
    """

    recipients: tuple[str, ...]
    disposition: Disposition
    policy_rule: str
    findings: tuple[Finding, ...] = ()
    hold: Hold | None = None
    reply: Reply | None = None
    modifications: tuple[Modification, ...] = ()
    notify: tuple[str, ...] = ()
    split: bool = False
    would_have: tuple[str, ...] = ()
    incident: str | None = None
    log: bool = False
    subject: str | None = None


def strictest(verdicts: tuple[Verdict, ...]) -> Verdict:
    """The verdict that sets the one reply: the strictest disposition, the first one of equals."""
    return max(verdicts, key=lambda v: v.disposition)
