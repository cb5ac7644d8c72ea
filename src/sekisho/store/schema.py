"""The tables, defined once for SQLite and PostgreSQL. Migrations make them; a test keeps the two together.

Times are integers: microseconds since 1970-01-01 UTC. Addresses are kept lower case and split at the last `@`, so
that one index answers for an address and for a whole domain. Subjects exist as keyed hash only.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text

metadata = MetaData()

# One row for each message. `document` is JSON (`store.audit.AuditDocument`), without subject, body or file names.
audit = Table(
    "audit",
    metadata,
    Column("id", Text, primary_key=True, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("subject_hash", Text, nullable=False),
    Column("disposition", Integer, nullable=False),
    Column("policy_rule", Text, nullable=False),
    Column("domain_set", Text, nullable=False),
    Column("document", Text, nullable=False),
    Index("audit_at", "at", "tenant"),
    Index("audit_message_id", "message_id"),
    Index("audit_subject_hash", "subject_hash"),
)

# Who sent (`role` "from") and who was to get it ("to").
audit_address = Table(
    "audit_address",
    metadata,
    Column("domain", Text, primary_key=True, nullable=False),
    Column("local", Text, primary_key=True, nullable=False),
    Column("role", Text, primary_key=True, nullable=False),
    Column("audit_id", Text, primary_key=True, nullable=False),
    sqlite_with_rowid=False,
)

audit_finding = Table(
    "audit_finding",
    metadata,
    Column("rule", Text, primary_key=True, nullable=False),
    Column("audit_id", Text, primary_key=True, nullable=False),
    sqlite_with_rowid=False,
)

# The internal domains of a tenant at a time; a row of `audit` names them by hash, so that they are kept once.
domain_set = Table(
    "domain_set",
    metadata,
    Column("id", Text, primary_key=True, nullable=False),
    Column("domains", Text, nullable=False),
)

# A message in our keeping. `document` is the whole `Kept`, encrypted; the other columns are for finding it.
# `due_at`: when to send it ("held": its release time, "releasing": the next attempt, else NULL).
# `claim` names the process that works on it until `claimed_until` (0: nobody).
kept = Table(
    "kept",
    metadata,
    Column("id", Text, primary_key=True, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("due_at", BigInteger),
    Column("changed_at", BigInteger, nullable=False),
    Column("claim", Text, nullable=False),
    Column("claimed_until", BigInteger, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Index("kept_due", "state", "due_at"),
    Index("kept_expires", "state", "expires_at"),
    Index("kept_received", "received_at"),
)

kept_address = Table(
    "kept_address",
    metadata,
    Column("domain", Text, primary_key=True, nullable=False),
    Column("local", Text, primary_key=True, nullable=False),
    Column("role", Text, primary_key=True, nullable=False),
    Column("kept_id", Text, primary_key=True, nullable=False),
    Index("kept_address_kept", "kept_id"),
    sqlite_with_rowid=False,
)

# What each process last said of itself; `state` is JSON.
heartbeat = Table(
    "heartbeat",
    metadata,
    Column("name", Text, primary_key=True, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
)

# Words of a sender's recent messages that may be passwords; `document` is encrypted, `sender` a keyed hash.
recent_word = Table(
    "recent_word",
    metadata,
    Column("tenant", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Index("recent_word_sender", "sender", "at"),
    Index("recent_word_at", "at"),
)

# Sites (registrable domains) that a tenant's messages have linked to.
seen_site = Table(
    "seen_site",
    metadata,
    Column("tenant", Text, primary_key=True, nullable=False),
    Column("site", Text, primary_key=True, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Index("seen_site_first", "tenant", "first_at"),
    Index("seen_site_last", "last_at"),
    sqlite_with_rowid=False,
)

# What a reviewer decided about a message held for its content. `document` is the `Decision`, encrypted; `set_aside`
# is when a reset took it out of force (0: in force).
decision = Table(
    "decision",
    metadata,
    Column("id", Text, primary_key=True, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("set_aside", BigInteger, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Index("decision_tenant", "tenant", "set_aside", "at"),
)

# The accounts that may send. `document` is the `StoredAccount`, sealed, and `prints` the fingerprints of its last
# passwords, sealed apart (empty for none): they are read for all accounts of a tenant at once.
account = Table(
    "account",
    metadata,
    Column("login", Text, primary_key=True, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("disabled", Integer, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("prints", LargeBinary, nullable=False),
    Index("account_tenant", "tenant", "login"),
)

# What happened to accounts' locks, one row for each change; they stay. `document` is the `LockEvent`, sealed; `told`
# whether those who are to know have been written to.
account_lock = Table(
    "account_lock",
    metadata,
    Column("number", Integer, primary_key=True, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("login", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("told", Integer, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Index("account_lock_login", "tenant", "login", "number"),
    Index("account_lock_told", "told", "number"),
)

# What is usual for an account. `document` is its `AccountState` as MessagePack, sealed; each write adds to `version`.
account_profile = Table(
    "account_profile",
    metadata,
    Column("tenant", Text, primary_key=True, nullable=False),
    Column("login", Text, primary_key=True, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Index("account_profile_changed", "changed_at"),
)

# Mailings of many that were said in advance. `document` is the `SendingWindow`, sealed; rows stay, as the record.
sending_window = Table(
    "sending_window",
    metadata,
    Column("id", Text, primary_key=True, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("login", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Index("sending_window_of", "tenant", "login", "starts_at"),
    Index("sending_window_state", "state", "ends_at"),
)

# DKIM keys. `document` is the `SigningKey`, private key and all, sealed; each write gives a new `mark`.
signing_key = Table(
    "signing_key",
    metadata,
    Column("domain", Text, primary_key=True, nullable=False),
    Column("selector", Text, primary_key=True, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("mark", BigInteger, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Index("signing_key_mark", "mark"),  # what has changed is asked every other second
)
