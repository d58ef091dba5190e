"""How much of what a source sent was deleted here."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add two counts to sources; what was deleted before is not known any more."""
    for column in ("files_taken", "messages_taken"):
        op.add_column("sources", sa.Column(column, sa.Integer, nullable=False, server_default="0"))
