"""What reviewers teach: the decision about a held message, made of it while its bytes are there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from sekisho.config.load import Configuration
from sekisho.config.shipped import shipped
from sekisho.config.tenants import inherited
from sekisho.daemon.content import content_reader
from sekisho.daemon.learning import shipped_model
from sekisho.inspect.links.inspector import Links
from sekisho.inspect.links.lists import load_lists
from sekisho.learn.counted import same_person
from sekisho.learn.grams import BITS
from sekisho.learn.ground import Ground
from sekisho.learn.model import KINDS, Model, Reading
from sekisho.learn.sketch import sketch
from sekisho.mail.decision import Decision, Label
from sekisho.mail.finding import Finding
from sekisho.mail.kept import Kept
from sekisho.mail.transaction import Transaction
from sekisho.parse import parse

_CONTENT = frozenset(f"{kind}/content" for kind in KINDS)
# A hold for one of these, too, says what the mail is about; one for anything else has reasons that no model knows.
_ABOUT_CONTENT = frozenset((*KINDS, "link"))


class NotLearned(Struct, frozen=True):
    """Why a decision teaches nothing."""

    why: str


class Teacher:
    """Makes decisions of what reviewers do with held messages. `read` is the content inspector's reader."""

    def __init__(self, model: Model, read: Callable[[Transaction], Reading]) -> None:
        self._model = model
        self._ground = Ground(model)
        self._read = read

    def decision(
        self, kept: Kept, transaction: Transaction, label: Label, reviewer: str, now: datetime, *, login: str = ""
    ) -> Decision | NotLearned:
        """The decision about a held message, or why it is none to learn from.

        `login` is who acts, where that is not the name under which `reviewer` decides.
        """
        why = not_about_content(kept.findings) or _own(kept, transaction, (reviewer, login))
        if why:
            return NotLearned(why)
        read = self._read(transaction).features()
        features = self._ground.features(read.indices)
        if not features:
            return NotLearned("the message says too little")
        scores = self._model.score_features(read)
        return Decision(
            id=kept.id,
            tenant=kept.tenant,
            at=now,
            reviewer=reviewer,
            sender=kept.session.account or kept.envelope.mail_from or "",
            label=label,
            kind=scores.kind,
            logit=scores.logit,
            model=self._model.version,
            bits=BITS,
            features=features,
            sketch=sketch(read.grams),
        )


def not_about_content(findings: tuple[Finding, ...]) -> str:
    """Why a hold for these findings was not for what the message says; "" where it was."""
    if not any(finding.rule in _CONTENT for finding in findings):
        return "not held for its content"
    others = sorted({f.rule for f in findings if f.rule.partition("/")[0] not in _ABOUT_CONTENT})
    return f"held for {others[0]} too" if others else ""


def _own(kept: Kept, transaction: Transaction, reviewers: tuple[str, ...]) -> str:
    """Why reviewers decide about mail of their own; "" where they do not, as far as names tell."""
    header = transaction.message.header("from")
    authors = (box.address for box in header.mailboxes) if header is not None else ()
    names = (kept.session.account or "", kept.envelope.mail_from or "", *authors)
    own = any(same_person(reviewer, name) for reviewer in reviewers for name in names)
    return "the reviewer's own mail" if own else ""


def teacher_of(configuration: Configuration) -> Teacher | None:
    """The teacher for a command; None where no model came with it. Raises ModelError, OSError, ValueError."""
    model = shipped_model()
    if model is None:
        return None
    settings = configuration.settings
    partners = {name: inherited(settings, name).partners for name in settings.tenant}
    links = Links(load_lists(shipped("lists")), partners=partners, allowed=settings.inspect.allowed_link_hosts)
    return Teacher(model, content_reader(links).read)


def transaction_of(configuration: Configuration, kept: Kept, data: bytes) -> Transaction:
    """A held message for the reader, its attachments not opened."""
    tenant = configuration.settings.tenant.get(kept.tenant)
    return Transaction(
        id=kept.transaction_id,
        session=kept.session,
        envelope=kept.envelope,
        message=parse(data),
        received_at=kept.received_at,
        internal_domains=frozenset(tenant.domains if tenant is not None else ()),
    )
