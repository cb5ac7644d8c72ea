"""Whether a new password is good enough, and what to tell its owner. NIST SP 800-63B-4 3.1.1.2."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

from msgspec import Struct
from zxcvbn_rs_py import Entropy, zxcvbn

from sekisho.accounts.passwords.blocklist import CommonPasswords, is_common, shipped_common
from sekisho.accounts.passwords.breaches import BreachList
from sekisho.accounts.passwords.context import ContextWord, context_words, rest
from sekisho.accounts.passwords.japanese import as_heard, japanese_words
from sekisho.accounts.passwords.patterns import without_repeats, without_sequences
from sekisho.accounts.passwords.preparation import MOST_OCTETS, PreparationError, prepared
from sekisho.accounts.passwords.reuse import Reuse
from sekisho.accounts.passwords.texts import CLASSES, KINDS, REASONS, Text, feedback_texts, listed
from sekisho.config.account_settings import PasswordSettings
from sekisho.config.load import Configuration
from sekisho.config.tenants import inherited

_ESTIMATED = 100  # characters: the estimate's time grows with their square


class Reason(Struct, frozen=True):
    """Why a password is not good enough. `code` is one of `REASONS`; `advice` says how to do better."""

    code: str
    text: Text
    advice: Text


class Verdict(Struct, frozen=True):
    """What a password is like: `length` in code points, `guesses_log10` the power of ten of the guesses it takes.

    `hints` are the strength estimate's own. "shared" among the reasons is for administrators: see `for_owner`.
    """

    reasons: tuple[Reason, ...]
    length: int
    guesses_log10: float
    hints: tuple[Text, ...] = ()

    @property
    def good(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.reasons

    @property
    def for_owner(self) -> tuple[Reason, ...]:
        """The reasons as its owner may read them: nobody is told that it is somebody else's password."""
        told = (_reason("common") if reason.code == "shared" else reason for reason in self.reasons)
        return tuple(dict.fromkeys(told))


class PasswordPolicy:
    """The policy of a tenant. `company_names` and `domains` are its own; a list that is None refuses nothing."""

    def __init__(
        self,
        settings: PasswordSettings,
        common: CommonPasswords | None = None,
        breaches: BreachList | None = None,
        company_names: Iterable[str] = (),
        domains: Iterable[str] = (),
    ) -> None:
        self.settings = settings
        self._common = common
        self._breaches = breaches
        self._companies = tuple(company_names)
        self._domains = tuple(domains)

    def judge(
        self,
        password: str,
        *,
        login: str = "",
        names: Iterable[str] = (),
        second_factor: bool = False,
        reuse: Reuse | None = None,
    ) -> Verdict:
        """Judge a new password of the account `login`, whose owner has these names.

        `second_factor`: whether the account has another factor. Takes about a millisecond. Never raises.
        """
        try:
            form = prepared(password)
        except PreparationError:
            return self._unprepared(password, second_factor=second_factor)
        words = context_words(login, names, self._companies, self._domains, self.settings.words)
        estimate = _estimate(form, words)
        reasons = tuple(self._reasons(form, words, estimate, reuse or Reuse(), second_factor=second_factor))
        return Verdict(reasons, len(form), round(estimate.guesses_log10, 1), feedback_texts(estimate.feedback))

    def _unprepared(self, password: str, *, second_factor: bool) -> Verdict:
        if not password:
            return Verdict((self._short(self._least(second_factor=second_factor)),), 0, 0.0)
        if len(password) > self.settings.most_length or len(password.encode("utf-8", "replace")) > MOST_OCTETS:
            return Verdict((_reason("long", most=self.settings.most_length),), len(password), 0.0)
        return Verdict((_reason("characters"),), len(password), 0.0)

    def _least(self, *, second_factor: bool) -> int:
        return self.settings.least_length_with_second_factor if second_factor else self.settings.least_length

    def _reasons(
        self, form: str, words: tuple[ContextWord, ...], estimate: Entropy, reuse: Reuse, *, second_factor: bool
    ) -> Iterator[Reason]:
        least = self._least(second_factor=second_factor)
        half = (least + 1) // 2  # what is left without what everybody expects must be so much
        yield from self._length(form, least)
        yield from self._listed(form, half)
        yield from _context(form, words, half)
        if without_repeats(form) < half:
            yield _reason("repeated")
        elif without_sequences(form) < half:
            yield _reason("sequence")
        wanted = (
            self.settings.guesses_power_of_ten_with_second_factor
            if second_factor
            else self.settings.guesses_power_of_ten
        )
        if estimate.guesses_log10 < wanted:
            yield _reason("guessable")
        if missing := [CLASSES[one] for one in self.settings.require if not _has(form, one)]:
            yield _reason("class-missing", classes=listed(missing))
        if reuse.previous and self.settings.last_passwords:
            yield _reason("used-before")
        if reuse.shared and not self.settings.allow_shared:
            yield _reason("shared")

    def _length(self, form: str, least: int) -> Iterator[Reason]:
        if len(form) < least:
            yield self._short(least)
        elif len(form) > self.settings.most_length:
            yield _reason("long", most=self.settings.most_length)

    def _short(self, least: int) -> Reason:
        return _reason("short", least=least)

    def _listed(self, form: str, half: int) -> Iterator[Reason]:
        if self._common is not None and is_common(form, self._common, half):
            yield _reason("common")
        if self._breaches is not None and form in self._breaches:
            yield _reason("breached")


def policy_of(configuration: Configuration, tenant: str) -> PasswordPolicy:
    """A tenant's policy, with the lists that its settings name. Raises OSError, BreachListError, FilterError."""
    own = inherited(configuration.settings, tenant)
    settings = own.password or PasswordSettings()
    breaches = BreachList.open(configuration.path(settings.breach_list)) if settings.breach_list else None
    common = None if settings.allow_common else shipped_common()
    return PasswordPolicy(settings, common, breaches, own.company_names, own.domains)


def _context(form: str, words: tuple[ContextWord, ...], half: int) -> Iterator[Reason]:
    left, kinds = rest(form, words)
    if kinds and left < half:
        yield _reason("context", kinds=listed([KINDS[kind] for kind in kinds]))


def _reason(code: str, **values: object) -> Reason:
    text, advice = REASONS[code]
    en = {name: value.en if isinstance(value, Text) else value for name, value in values.items()}
    ja = {name: value.ja if isinstance(value, Text) else value for name, value in values.items()}
    return Reason(code, Text(text.en.format(**en), text.ja.format(**ja)), advice)


def _estimate(form: str, words: tuple[ContextWord, ...]) -> Entropy:
    """How many guesses it takes, knowing the owner's words and common Japanese ones as well as English."""
    part = form[:_ESTIMATED]
    known = [word.text.casefold() for word in words]
    estimate = zxcvbn(part, known + japanese_words(part))
    if (heard := as_heard(part)) is not None:
        letters, found = heard
        spoken = zxcvbn(letters[:_ESTIMATED], known + found)
        estimate = min(estimate, spoken, key=lambda one: one.guesses_log10)
    return estimate


def _has(form: str, wanted: str) -> bool:
    return any(_class(character) == wanted for character in form)


def _class(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Nd":
        return "digit"
    if category in ("Ll", "Lu"):
        return "lower" if category == "Ll" else "upper"
    return "symbol" if category[0] in "PSZ" else ""
