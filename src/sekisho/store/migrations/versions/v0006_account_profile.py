"""What is usual for accounts."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "account_profile",
        sa.Column("tenant", sa.Text, primary_key=True, nullable=False),
        sa.Column("login", sa.Text, primary_key=True, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_index("account_profile_changed", "account_profile", ["changed_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("account_profile")
