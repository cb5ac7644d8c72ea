"""The DKIM keys of the store, as a process signs with them: taken up within seconds of any change."""

from __future__ import annotations

import asyncio
import logging
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping

from sekisho.config.settings import Settings
from sekisho.mail.kept import StoreAwayError
from sekisho.mail.signing_key import SigningKey
from sekisho.mailauth.dkim import DkimKey
from sekisho.mailauth.key_lifecycle import signing
from sekisho.mailauth.key_making import signing_key
from sekisho.store.signing_keys import SigningKeyRows

log = logging.getLogger(__name__)

_EVERY_SECONDS = 2.0
_ByDomain = dict[str, Mapping[str, DkimKey]]


class StoredKeys:
    """One for each process, over all its configurations. What it knows is replaced in one step."""

    def __init__(self, rows: SigningKeyRows) -> None:
        self._rows = rows
        self._stamp: tuple[int, int] | None = None
        self._read: dict[tuple[str, str], tuple[bytes, DkimKey]] = {}
        self._of: Mapping[str, _ByDomain] = {}

    def of(self, settings: Settings, tenant: str) -> Callable[[], Mapping[str, Mapping[str, DkimKey]]]:
        """What gives a tenant's signer the keys of the moment: its own, and for other domains its parents'."""
        names = []
        name = tenant
        while name:
            names.append(name)
            name = settings.tenant[name].parent
        if len(names) == 1:
            return lambda: self._of.get(tenant, {})
        return lambda: ChainMap(*(self._of.get(name, {}) for name in names))

    async def refresh(self) -> bool:
        """Take up what has changed; whether anything had. Raises StoreAwayError, and what was known stays."""
        stamp = await self._rows.stamp()
        if stamp == self._stamp:
            return False
        keys = await self._rows.of()
        self._of = await asyncio.to_thread(self._loaded, keys)
        self._stamp = stamp  # read before the keys: a change in between is taken up next time
        return True

    async def run(self) -> None:
        """Take up changes until cancelled."""
        trouble = ""
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            try:
                if await self.refresh():
                    log.info("DKIM keys of the store taken up")
                trouble = ""
            except StoreAwayError as error:
                if str(error) != trouble:
                    log.warning("DKIM keys cannot be read, those known go on signing: %s", error)
                trouble = str(error)
            except Exception:
                log.exception("DKIM keys were not taken up")

    def _loaded(self, keys: Iterable[SigningKey]) -> Mapping[str, _ByDomain]:
        of: dict[str, _ByDomain] = {}
        read: dict[tuple[str, str], tuple[bytes, DkimKey]] = {}
        # RSA first, so that it stands on top: a receiver that looks at one signature only knows that
        for (tenant, domain, _), key in sorted(signing(keys).items(), reverse=True):
            known = self._read.get((domain, key.selector))
            try:
                made = known[1] if known and known[0] == key.public else signing_key(key)
            except ValueError as error:
                log.error("DKIM key %s does not sign: %s", key.asked_name, error)  # noqa: TRY400 - nothing to trace
                continue
            read[domain, key.selector] = (key.public, made)
            of_domain = of.setdefault(tenant, {})
            of_domain[domain] = {**of_domain.get(domain, {}), made.algorithm: made}
        self._read = read
        return of
