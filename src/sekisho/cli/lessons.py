"""What the models learn when a command releases or rejects messages that were held for their content."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from sekisho.config.load import Configuration
from sekisho.config.settings import LearningSettings
from sekisho.config.tenants import inherited
from sekisho.daemon.teaching import NotLearned, Teacher, not_about_content, teacher_of, transaction_of
from sekisho.learn.model import ModelError
from sekisho.mail.decision import Decision, Label
from sekisho.mail.kept import Kept, StoreAwayError
from sekisho.store.sqlite import SqliteStore

Lesson = Decision | NotLearned | None


class Lessons:
    """Records what a reviewer decides. What cannot be learned from never stops a decision."""

    def __init__(
        self, configuration: Configuration, store: SqliteStore, label: Label, reviewer: str, login: str
    ) -> None:
        self._configuration = configuration
        self._store = store
        self._label = label
        self._reviewer = reviewer
        self._login = login
        self._teacher: Teacher | None = None

    def of(self, kept: Kept) -> Lesson:
        """What there is to learn from a message, to be asked while its bytes are there; None: it is about others."""
        if kept.state != "held" or not_about_content(kept.findings):
            return None
        if not learning_of(self._configuration, kept.tenant).enabled:
            return NotLearned("switched off for this tenant")
        try:
            self._teacher = self._teacher or teacher_of(self._configuration)
            if self._teacher is None:
                return NotLearned("no content model came with this version")
            data = asyncio.run(self._store.kept_data(kept))
            transaction = transaction_of(self._configuration, kept, data)
            now = datetime.now(UTC)
            return self._teacher.decision(kept, transaction, self._label, self._reviewer, now, login=self._login)
        except (ModelError, StoreAwayError, OSError, ValueError) as error:
            return NotLearned(str(error))
        except Exception as error:  # noqa: BLE001 - a message is released whether or not it teaches anything
            return NotLearned(f"unexpected failure: {type(error).__name__}: {error}")

    def record(self, lesson: Lesson) -> Lesson:
        """Keep a decision, once it is made. What could not be kept is `NotLearned`."""
        if isinstance(lesson, Decision):
            try:
                asyncio.run(self._store.decisions.add(lesson))
            except StoreAwayError as error:
                return NotLearned(str(error))
        return lesson


def learning_of(configuration: Configuration, tenant: str) -> LearningSettings:
    """A tenant's settings, its parents' where it has none; off for a tenant that is gone."""
    if tenant not in configuration.settings.tenant:
        return LearningSettings(enabled=False)
    return inherited(configuration.settings, tenant).learning or LearningSettings()


def told(lesson: Lesson) -> dict[str, object]:
    """What was learned, as `hold release --json` adds it."""
    if lesson is None:
        return {}
    if isinstance(lesson, Decision):
        return {"learned": lesson.label}
    return {"learned": None, "not_learned": lesson.why}
