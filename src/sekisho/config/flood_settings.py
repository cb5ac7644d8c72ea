"""Settings of what is done about floods."""

from __future__ import annotations

from msgspec import Struct


class FloodSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How much is done at once, and when mail is put off before the machine is at risk. Sizes in octets.

    Each worker has `messages_in_work` in hand and `messages_waiting` that wait for that, fairly by tenant, client and
    sender, each for at most `wait_seconds`; `large_in_work` of the large ones are looked at. Where `crowded_share` of
    the connections are taken, a network has at most `network_share` of them, and where all are, who has said nothing
    for `evict_idle_seconds` makes room. A network makes `new_connections_per_network` a minute, ten times as many
    where its client has sent mail before. An event loop that is late by `lag_seconds` takes no new connections, by
    twice that no mail. `process_memory_bytes` is for each worker; 0: of what the cgroup allows, if it does not allow
    all. `least_free_disk_bytes` are left in the state directory, of a small disk a twentieth.
    """

    messages_in_work: int = 64
    messages_waiting: int = 1000
    wait_seconds: float = 60.0
    large_in_work: int = 1
    crowded_share: float = 0.8
    network_share: float = 0.25
    evict_idle_seconds: float = 2.0
    new_connections_per_network: int = 600
    lag_seconds: float = 1.0
    process_memory_bytes: int = 0
    least_free_disk_bytes: int = 268_435_456


class TenantFloodSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A tenant's part in that. `share` weighs it against others where all want more than there is.

    `held_bytes` is what its held messages may take on disk. Of mail with the null reverse-path (reports and automatic
    answers) at most `bounces_per_minute` go out, `bounces_per_domain` a minute to one domain, and
    `bounces_per_recipient` an hour to one recipient. 0: no limit.
    """

    share: float = 1.0
    held_bytes: int = 10_000_000_000
    bounces_per_minute: int = 600
    bounces_per_domain: int = 120
    bounces_per_recipient: int = 30
