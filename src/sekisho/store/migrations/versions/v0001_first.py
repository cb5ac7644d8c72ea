"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of the first version."""
    _audit()
    _kept()
    op.create_table(
        "heartbeat",
        sa.Column("name", sa.Text, primary_key=True, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Text, primary_key=True, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("subject_hash", sa.Text, nullable=False),
        sa.Column("disposition", sa.Integer, nullable=False),
        sa.Column("policy_rule", sa.Text, nullable=False),
        sa.Column("domain_set", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_index("audit_at", "audit", ["at", "tenant"])
    op.create_index("audit_message_id", "audit", ["message_id"])
    op.create_index("audit_subject_hash", "audit", ["subject_hash"])
    _addresses("audit_address", "audit_id")
    op.create_table(
        "audit_finding",
        sa.Column("rule", sa.Text, primary_key=True, nullable=False),
        sa.Column("audit_id", sa.Text, primary_key=True, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "domain_set",
        sa.Column("id", sa.Text, primary_key=True, nullable=False),
        sa.Column("domains", sa.Text, nullable=False),
    )


def _kept() -> None:
    op.create_table(
        "kept",
        sa.Column("id", sa.Text, primary_key=True, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("claim", sa.Text, nullable=False),
        sa.Column("claimed_until", sa.BigInteger, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_index("kept_due", "kept", ["state", "due_at"])
    op.create_index("kept_expires", "kept", ["state", "expires_at"])
    op.create_index("kept_received", "kept", ["received_at"])
    _addresses("kept_address", "kept_id")
    op.create_index("kept_address_kept", "kept_address", ["kept_id"])


def _addresses(table: str, owner: str) -> None:
    op.create_table(
        table,
        sa.Column("domain", sa.Text, primary_key=True, nullable=False),
        sa.Column("local", sa.Text, primary_key=True, nullable=False),
        sa.Column("role", sa.Text, primary_key=True, nullable=False),
        sa.Column(owner, sa.Text, primary_key=True, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop everything."""
    for table in ("heartbeat", "kept_address", "kept", "domain_set", "audit_finding", "audit_address", "audit"):
        op.drop_table(table)
