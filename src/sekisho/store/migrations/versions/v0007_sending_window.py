"""Sending windows."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "sending_window",
        sa.Column("id", sa.Text, primary_key=True, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("starts_at", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_index("sending_window_of", "sending_window", ["tenant", "login", "starts_at"])
    op.create_index("sending_window_state", "sending_window", ["state", "ends_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("sending_window")
