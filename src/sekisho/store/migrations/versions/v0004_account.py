"""The accounts that may send."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of accounts."""
    op.create_table(
        "account",
        sa.Column("login", sa.Text, primary_key=True, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("disabled", sa.Integer, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("prints", sa.LargeBinary, nullable=False),
    )
    op.create_index("account_tenant", "account", ["tenant", "login"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("account")
