"""The day of the last daily work."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add a table; the newest day that is known stands in for a last time that was not noted."""
    work = op.create_table(
        "work",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("jumped", sa.Integer, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_work"),
    )
    connection = op.get_bind()
    newest = connection.execute(sa.text("SELECT max(day) FROM uploads")).scalar()
    if newest is not None:
        connection.execute(sa.insert(work).values(id=1, day=newest))
