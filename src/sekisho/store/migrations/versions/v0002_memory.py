"""What is remembered from message to message."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of recent words and of linked sites."""
    op.create_table(
        "recent_word",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_index("recent_word_sender", "recent_word", ["sender", "at"])
    op.create_index("recent_word_at", "recent_word", ["at"])
    op.create_table(
        "seen_site",
        sa.Column("tenant", sa.Text, primary_key=True, nullable=False),
        sa.Column("site", sa.Text, primary_key=True, nullable=False),
        sa.Column("first_at", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("seen_site_first", "seen_site", ["tenant", "first_at"])
    op.create_index("seen_site_last", "seen_site", ["last_at"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("seen_site")
    op.drop_table("recent_word")
