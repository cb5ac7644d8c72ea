"""The metrics about floods."""

from __future__ import annotations

from sekisho.mail.reply import STORE_AWAY
from sekisho.record.definition import Definition
from sekisho.wire.smtp_replies import DISK_FILLS, MAIL_TOO_BUSY, OUT_OF_MEMORY

PUT_OFF = {OUT_OF_MEMORY: "memory", DISK_FILLS: "disk", MAIL_TOO_BUSY: "lag", STORE_AWAY: "store"}

FLOOD_DEFINITIONS = (
    Definition("sekisho_connections_evicted_total", "counter", (), "Idle clients that made room."),
    Definition(
        "sekisho_mail_put_off_total",
        "counter",
        ("listener", "why"),
        "Messages that were not begun for what is left: memory, disk, lag, store or other.",
    ),
    Definition(
        "sekisho_held_refused_total",
        "counter",
        ("tenant",),
        "Messages to be held that were put off: their tenant has as much on disk as it may.",
    ),
    Definition(
        "sekisho_loop_lag_seconds", "gauge", (), "How late an event loop is, the latest of all.", gauge_mode="livemax"
    ),
    Definition(
        "sekisho_process_memory_bytes", "gauge", (), "Memory of a worker, the largest of all.", gauge_mode="livemax"
    ),
    Definition("sekisho_messages_in_work", "gauge", (), "Messages in hand, all workers together."),
    Definition(
        "sekisho_messages_waiting", "gauge", (), "Messages that wait to be taken in hand, all workers together."
    ),
)
