"""What reviewers decided about the content of messages."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of decisions."""
    op.create_table(
        "decision",
        sa.Column("id", sa.Text, primary_key=True, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("set_aside", sa.BigInteger, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_index("decision_tenant", "decision", ["tenant", "set_aside", "at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("decision")
