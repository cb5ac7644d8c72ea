"""What happened to accounts' locks."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of events."""
    op.create_table(
        "account_lock",
        sa.Column("number", sa.Integer, primary_key=True, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("told", sa.Integer, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_index("account_lock_login", "account_lock", ["tenant", "login", "number"])
    op.create_index("account_lock_told", "account_lock", ["told", "number"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("account_lock")
