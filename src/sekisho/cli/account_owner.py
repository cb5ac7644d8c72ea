"""Whether somebody at the terminal is an account's owner, for `sekisho account unlock --as-owner`."""

from __future__ import annotations

import asyncio

from sekisho.accounts.passwords import reuse
from sekisho.accounts.passwords.hashing import Hasher, Kept
from sekisho.accounts.unlock import Proofs
from sekisho.accounts.upkeep import Upkeep
from sekisho.cli.account_desk import password_policy
from sekisho.config.load import Configuration
from sekisho.store.sqlite import SqliteStore


def prove(  # noqa: PLR0917 - called by `unlock --as-owner` only
    configuration: Configuration, store: SqliteStore, tenant: str, login: str, password: str, code: str
) -> Proofs | None:
    """What password and code of the second factor prove; None where one is wrong. Raises StoreAwayError."""
    return asyncio.run(_prove(configuration, store, tenant, login, password, code))


async def _prove(  # noqa: PLR0917 - as above
    configuration: Configuration, store: SqliteStore, tenant: str, login: str, password: str, code: str
) -> Proofs | None:
    hasher = Hasher(configuration.settings.password_hash)
    stored = await store.accounts.find(login)
    ours = stored is not None and stored.account.tenant == tenant and not stored.source and not stored.disabled
    kept = Kept(stored.password, stored.scram) if stored is not None and ours else None
    right = (await hasher.verify(kept, password)).right
    if stored is None or not ours or not right:
        return None
    policy = password_policy(configuration, tenant)
    upkeep = Upkeep(store.accounts, hasher, policy, store.keys.derived(reuse.PURPOSE))
    if stored.second_factor is None or not stored.second_factor.confirmed:
        return Proofs(stored.password_set_at, second_factor=False)
    if not await upkeep.second_factor(login, code):
        return None
    return Proofs(stored.password_set_at, second_factor=True)
