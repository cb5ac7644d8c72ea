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
    """The two inspectors over what `sekisho dlp` has registered. Nothing is made where nothing was registered.

    `problems` are what cannot be read now: at a start reasons not to start, later files of which the old stays in
    force.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._directory = configuration.state_dir / "dlp"
        self._records = ExactMatches(ExactLists.none(self._directory))
        self.documents = FingerprintInspector(Fingerprints.none(self._directory))
        self.problems: list[Problem] = []
        records, documents, self.problems = self._open()
        if not self.problems:  # else nothing comes into force
            self._take_up(records, documents)

    @property
    def inspectors(self) -> tuple[Inspector, ...]:
        """For `Checks`; they stay the same, what they look for is replaced."""
        return (self._records, self.documents)

    def changed(self) -> bool:
        """Whether something was registered or removed since, or was not to be read. Microseconds."""
        return bool(self.problems) or self._records.lists.changed() or self.documents.documents.changed()

    def refresh(self) -> None:
        """Take up what has changed. Of what cannot be read the old stays in force; the log says once what that is."""
        records, documents, problems = self._open()
        for problem in problems:
            if problem not in self.problems:
                log.error("registered data: %s", problem)
        self.problems = problems
        self._take_up(records, documents)

    def status(self) -> list[dict[str, object]]:
        """For `sekisho status`: each list with its rows, each tenant's number of documents, and each problem."""
        problems: list[dict[str, object]] = [{"kind": "problem", "problem": str(one)} for one in self.problems]
        return [*self._records.lists.states, *self.documents.documents.states, *problems]

    def _take_up(self, records: ExactLists, documents: Fingerprints) -> None:
        before = set(map(id, self._records.lists))
        for one in records:
            if id(one) not in before:
                log.info("list %s of %s: %d rows", one.head.name, one.head.tenant, one.head.rows)
        if documents.states != self.documents.documents.states:
            for state in documents.states:
                log.info("documents of %s: %d", state["tenant"], state["documents"])
        self._records.lists, self.documents.documents = records, documents

    def _open(self) -> tuple[ExactLists, Fingerprints, list[Problem]]:
        """What there is now: without a key, or where nothing was ever registered, what there was."""
        old_records, old_documents = self._records.lists, self.documents.documents
        try:
            known = self._directory.is_dir() or old_records.changed() or old_documents.changed()
            keys = Keys.open(self._configuration.key_file, create=False) if known else None
        except (OSError, StoreAwayError) as error:
            why = (error.strerror if isinstance(error, OSError) else "") or str(error)
            return old_records, old_documents, [Problem(str(self._configuration.key_file), 0, "", why)]
        if keys is None:
            return old_records, old_documents, []
        records, problems = old_records.again(keys.derived(RECORDS))
        documents, more = old_documents.again(keys.derived(DOCUMENTS))
        return records, documents, list(dict.fromkeys([*problems, *more]))
