"""The few protocols between the stages. No more until one is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from sekisho.mail.account import Account, Login, LoginAttempt, LoginFailure, ScramKeys
    from sekisho.mail.counting import Take, Taken
    from sekisho.mail.decision import Decision
    from sekisho.mail.dns import Answer, Records, RecordType
    from sekisho.mail.envelope import Envelope, Session
    from sekisho.mail.fetched import Fetched
    from sekisho.mail.finding import Finding
    from sekisho.mail.kept import Kept, KeptState
    from sekisho.mail.lock import AccountLock, LockEvent
    from sekisho.mail.message import Link, Mailbox, Part, Text
    from sekisho.mail.opened import AttachmentKey, Opened
    from sekisho.mail.reply import Reply
    from sekisho.mail.transaction import AuditRecord, Transaction
    from sekisho.mail.verdict import Verdict
    from sekisho.mail.window import SendingWindow


class Decoder(Protocol):
    """Turns raw bytes into what people see. Never raises: what is broken is replaced or skipped."""

    def header_text(self, value: str) -> str: ...

    def mailboxes(self, value: str) -> tuple[Mailbox, ...]: ...

    def content(self, part: Part) -> bytes: ...

    def text(self, part: Part) -> str: ...

    def visible_text(self, part: Part) -> str: ...

    def shown_and_hidden(self, part: Part) -> tuple[str, str]: ...

    def links(self, part: Part) -> tuple[Link, ...]: ...


class Inspector(Protocol):
    """A pure, synchronous look at a transaction. May raise: the runner makes a finding of it."""

    name: str

    def inspect(self, transaction: Transaction) -> Sequence[Finding]: ...


@runtime_checkable
class Locator(Protocol):
    """An inspector that can point at every value it found.

    `locate` looks for the findings of these ids in these texts, as `inspect` would in a message of `tenant`, and
    returns for each text the values as spans of characters, and which of their characters are to be hidden. Ids of
    others cost nothing.
    """

    name: str

    def locate(self, texts: Sequence[Text], ids: Collection[str], tenant: str) -> Sequence[Located]: ...


class Located(Protocol):
    """`spans` are those of whole values, `hidden` the characters not to be shown: offsets into one text.

    `ids` are those of the findings whose values these are; `complete`: whether all of the text was looked through.
    """

    @property
    def spans(self) -> Sequence[tuple[int, int]]: ...

    @property
    def hidden(self) -> Collection[int]: ...

    @property
    def ids(self) -> Collection[str]: ...

    @property
    def complete(self) -> bool: ...


class Lookup(Protocol):
    """A look that has to wait for somebody (DNS, an antivirus daemon, a directory)."""

    name: str

    async def look_up(self, transaction: Transaction) -> Sequence[Finding]: ...


class Opener(Protocol):
    """Opens what a message carries before the inspectors look. Never raises: what cannot be opened is a finding."""

    async def open(self, transaction: Transaction) -> Transaction: ...

    async def close(self, seconds: float) -> None: ...


class OpenedMemory(Protocol):
    """Keeps what was found in attachments for every process of an installation.

    `words` is a digest of the passwords a result depends on, b"" for none. Neither raises: what cannot be read is not
    there, and what cannot be kept is not kept.
    """

    async def recall(self, keys: Collection[AttachmentKey], words: bytes) -> dict[AttachmentKey, Opened]: ...

    async def keep(self, results: Sequence[tuple[AttachmentKey, bytes, Opened]]) -> None: ...


class WordMemory(Protocol):
    """Remembers words of a sender's messages that may be passwords to others. Both raise StoreAwayError."""

    async def remember_words(self, tenant: str, sender: str, words: Sequence[str], at: datetime) -> None: ...

    async def recent_words(self, tenant: str, sender: str, now: datetime) -> list[str]: ...


class SiteMemory(Protocol):
    """Remembers which sites a tenant's messages linked to. Both raise StoreAwayError.

    `first_seen` tells since when the tenant's memory reaches back (None: it is empty), and for each site that is in
    it when that was first linked to.
    """

    async def see_sites(self, tenant: str, sites: Sequence[str], now: datetime) -> None: ...

    async def first_seen(self, tenant: str, sites: Sequence[str]) -> tuple[datetime | None, dict[str, datetime]]: ...


class DecisionMemory(Protocol):
    """Keeps what reviewers decided about held mail, by tenant. Every method may raise StoreAwayError.

    `of` gives those in force, the newest first; `stamps` changes for a tenant when they do.
    """

    async def add(self, decision: Decision) -> None: ...

    async def of(self, tenant: str) -> list[Decision]: ...

    async def stamps(self) -> dict[str, tuple[int, ...]]: ...


class Resolver(Protocol):
    """Asks the DNS. Neither raises: what goes wrong is a status of the answer, and takes bounded time."""

    async def addresses(self, name: str) -> Answer: ...

    async def close(self) -> None: ...


class RecordResolver(Protocol):
    """Asks the DNS for records. Never raises; takes some seconds at most, and remembers answers as long as it may."""

    async def records(self, name: str, kind: RecordType) -> Records: ...


class Fetcher(Protocol):
    """Gets a document by HTTPS. Never raises; takes bounded time, follows no redirect, reads `most_bytes` at most."""

    async def fetch(self, url: str, most_bytes: int) -> Fetched: ...


class Relay(Protocol):
    """Hands a message to a next hop.

    `send` returns the reply for each recipient of the envelope, in order, and never raises for what the next hop
    or the network does: an unreachable next hop is a 4xx reply for every recipient. `name` says where it went.
    """

    async def send(self, envelope: Envelope, data: bytes) -> RelayResult: ...


class RelayResult(Protocol):
    """`to` is where the message went ("mx.example:25"); `replies` one per recipient, in the envelope's order."""

    @property
    def to(self) -> str: ...

    @property
    def replies(self) -> tuple[Reply, ...]: ...


class Authenticator(Protocol):
    """Who may log in. Only `scram_keys` raises, StoreAwayError: else a source that is away is the failure "away".

    `admit` comes first, as soon as the client has named itself: None, or why it may not even try. `scram_keys` are
    those of an account, or made up; `scram_done` says whether the client proved to have the password. Each of
    `check_password`, `scram_done` and `check_token` ends an attempt.
    """

    def mechanisms(self, listener: str, *, protected: bool) -> tuple[str, ...]: ...

    async def admit(self, attempt: LoginAttempt) -> LoginFailure | None: ...

    async def check_password(self, attempt: LoginAttempt, password: str) -> Login | LoginFailure: ...

    async def scram_keys(self, attempt: LoginAttempt) -> ScramKeys: ...

    async def scram_done(self, attempt: LoginAttempt, *, proved: bool) -> Login | LoginFailure: ...

    async def check_token(self, attempt: LoginAttempt, token: str) -> Login | LoginFailure: ...


class AuthGuard(Protocol):
    """Slows down and turns away who guesses passwords. Shared by all processes; neither raises.

    `before` says whether an attempt may go on; `after` is told how it ended (None: well) and, where it is known, with
    which password, so that the same wrong one counts once. It returns the seconds to put the answer off.
    """

    async def before(self, attempt: LoginAttempt) -> LoginFailure | None: ...

    async def after(self, attempt: LoginAttempt, failure: LoginFailure | None, password: str = "") -> float: ...


class Counters(Protocol):
    """Counts over time, for limits and against guessing. Either may raise StoreAwayError.

    `take` does all of a Take or, where one of its charges is beyond its limit, nothing; in one step, whoever else
    takes. `look` says what would come of it. `at` are seconds since 1970. `trouble`: why it does not count for all.
    """

    async def take(self, take: Take, at: float) -> Taken: ...

    async def look(self, take: Take, at: float) -> Taken: ...

    def trouble(self) -> str: ...

    async def close(self) -> None: ...


class Turns(Protocol):
    """Whose message is worked on next. Work that blocks, or goes to a thread (`large`), is done within a turn.

    `asking` is for what waits for counters that all processes share.
    """

    def turn(self, session: Session, envelope: Envelope, *, large: bool) -> AbstractAsyncContextManager[object]: ...

    def asking(self, session: Session, envelope: Envelope) -> AbstractAsyncContextManager[object]: ...


class Room(Protocol):
    """Whether a tenant may keep so many octets more on disk: None, or the reply to the message instead of that."""

    def refusal(self, tenant: str, octets: int) -> Reply | None: ...


class Examine(Protocol):
    """Inspects a transaction and decides, under the rules and the policy in force."""

    async def __call__(self, transaction: Transaction) -> tuple[Verdict, ...]: ...


class Weigher(Protocol):
    """Weighs a message, once, by what was found in it and by what is usual for its account. Raises nothing."""

    async def weigh(self, transaction: Transaction, findings: tuple[Finding, ...]) -> tuple[Finding, ...]: ...


class RecordKeeper(Protocol):
    """Takes the record of every message that was handled. Raises nothing."""

    async def record(self, audit: AuditRecord) -> None: ...


class Store(Protocol):
    """Everything that outlives a process. Every method may raise StoreAwayError."""

    async def record(self, record: AuditRecord) -> None:
        """Put the audit record in the queue of the batching writer; waits only while that queue is full."""

    async def keep(self, kept: Kept, data: bytes) -> None:
        """Make the bytes (encrypted) and the row durable. When this returns, a power cut loses neither."""

    async def kept(self, kept_id: str) -> Kept | None:
        """The row, or None."""

    async def kept_data(self, kept: Kept) -> bytes:
        """The bytes as they came in."""

    async def change(self, kept: Kept, expected: KeptState) -> bool:
        """Write the row anew if its state still is `expected`, durably; False if somebody was faster."""

    async def claim_due(self, now: datetime, until: datetime, limit: int) -> list[Kept]:
        """Take rows to work on: `releasing` and `rejecting` ones that are due and not claimed by another.

        Rows in "held" whose `release_at` has passed become "releasing" and count as due. A claim lasts to `until`.
        """

    async def expired(self, now: datetime, limit: int) -> list[Kept]:
        """Rows in "held" or "releasing" whose `expires_at` has passed, unclaimed."""

    def trouble(self) -> str:
        """Why the store cannot be relied on at the moment ("" when it can). Cheap: asked for every message."""


class Directory(Protocol):
    """Whose account a login is, and what it may write as; from memory, so that inspectors may ask."""

    def account(self, tenant: str, login: str) -> Account | None: ...


class LockedAccounts(Protocol):
    """Which accounts are locked now; from memory."""

    def locked(self, tenant: str, login: str) -> AccountLock | None: ...


class LockMemory(Protocol):
    """Keeps what happened to accounts' locks. Every method may raise StoreAwayError.

    `add` writes an event if `allowed` says so of the account's events so far, in one transaction with reading them,
    and returns it with its number, else None. `since` gives the events after a number, of `history` those of one
    account, both the oldest first. `untold` are those that nobody was told of, `told` ends that.
    """

    async def add(self, event: LockEvent, allowed: Callable[[tuple[LockEvent, ...]], bool]) -> LockEvent | None: ...

    async def since(self, number: int) -> list[LockEvent]: ...

    async def history(self, tenant: str, login: str) -> tuple[LockEvent, ...]: ...

    async def untold(self) -> list[LockEvent]: ...

    async def told(self, number: int) -> None: ...


class WindowMemory(Protocol):
    """Keeps sending windows. Every method may raise StoreAwayError.

    `coming` gives those that are approved and not over. `change` writes a window anew if it still is as `before`.
    """

    async def add(self, window: SendingWindow) -> None: ...

    async def coming(self, now: datetime) -> list[SendingWindow]: ...

    async def window(self, window_id: str) -> SendingWindow | None: ...

    async def change(self, window: SendingWindow, before: SendingWindow) -> bool: ...

    async def of(self, tenant: str, login: str = "", since: datetime | None = None) -> list[SendingWindow]: ...
