"""DKIM keys."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "signing_key",
        sa.Column("domain", sa.Text, primary_key=True, nullable=False),
        sa.Column("selector", sa.Text, primary_key=True, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("mark", sa.BigInteger, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_index("signing_key_mark", "signing_key", ["mark"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("signing_key")
