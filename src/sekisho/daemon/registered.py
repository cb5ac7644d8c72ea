"""What a company has registered as its own: lists of records and documents, taken up anew when they change."""

from __future__ import annotations

import logging

from sekisho.config.load import Configuration
from sekisho.config.locations import Problem
from sekisho.inspect.exact.inspector import ExactMatches
from sekisho.inspect.exact.lists import PURPOSE as RECORDS
from sekisho.inspect.exact.lists import ExactLists
from sekisho.inspect.fingerprints.inspector import FingerprintInspector
from sekisho.inspect.fingerprints.library import PURPOSE as DOCUMENTS
from sekisho.inspect.fingerprints.library import Fingerprints
from sekisho.mail.kept import StoreAwayError
from sekisho.mail.ports import Inspector
from sekisho.store.keys import Keys

log = logging.getLogger(__name__)


class Registered:
    """The two inspectors over what `sekisho dlp` has registered. Nothing is made where nothing was registered."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._directory = configuration.state_dir / "dlp"
        records, documents, problems = self._open()
        self.problems = problems
        self._records = ExactMatches(records)
        self._documents = FingerprintInspector(documents)

    @property
    def inspectors(self) -> tuple[Inspector, ...]:
        """For `Checks`; they stay the same, what they look for is replaced."""
        return (self._records, self._documents)

    def changed(self) -> bool:
        """Whether something was registered or removed since. Microseconds."""
        return self._records.lists.changed() or self._documents.documents.changed()

    def refresh(self) -> None:
        """Take up what has changed; with anything wrong the old stays in force, and the log says what it is."""
        records, documents, problems = self._open()
        for problem in problems:
            log.error("registered data: %s", problem)
        if not problems:
            self._records.lists, self._documents.documents = records, documents
            log.info("registered data taken up anew")

    def status(self) -> list[dict[str, object]]:
        """For `sekisho status`: each list with its number of rows, and each tenant's number of documents."""
        return [*self._records.lists.states, *self._documents.documents.states]

    def _open(self) -> tuple[ExactLists, Fingerprints, list[Problem]]:
        try:
            keys = Keys.open(self._configuration.key_file, create=False) if self._directory.is_dir() else None
        except (OSError, StoreAwayError) as error:
            return self._nothing([Problem(str(self._configuration.key_file), 0, "", str(error))])
        if keys is None:
            return self._nothing([])
        records, problems = ExactLists.open(self._directory, keys.derived(RECORDS))
        documents, more = Fingerprints.open(self._directory, keys.derived(DOCUMENTS))
        return records, documents, [*problems, *more]

    def _nothing(self, problems: list[Problem]) -> tuple[ExactLists, Fingerprints, list[Problem]]:
        return ExactLists(self._directory, {}, {}), Fingerprints(self._directory, {}), problems
