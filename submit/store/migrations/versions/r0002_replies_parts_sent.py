"""Replies, files in parts, and what a source has sent."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add columns to sources and sessions, and four tables."""
    _widen_sources()
    op.add_column("sessions", sa.Column("visit_before", sa.Integer, nullable=True))
    _make_replies()
    _make_parts()
    op.create_table(
        "sent",
        sa.Column("source", sa.LargeBinary(32), nullable=False),
        sa.Column("mark", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("source", "mark", name="pk_sent"),
        _of_source("sent"),
    )


def _widen_sources() -> None:
    # SQLite adds columns in place, so that nothing that refers to the table is touched.
    for column in ("confirmed", "introduced", "remembers"):
        op.add_column(
            "sources",
            sa.Column(column, sa.Boolean, nullable=False, server_default=sa.false()),
        )
    op.add_column("sources", sa.Column("reply_key_id", sa.LargeBinary(8), nullable=True))
    op.add_column("sources", sa.Column("wrapped_reply_key", sa.LargeBinary, nullable=True))
    op.add_column("sources", sa.Column("wrapped_form", sa.LargeBinary, nullable=True))
    # Whoever is there already was never asked, and is not asked now in the middle of sending.
    op.execute(sa.text("UPDATE sources SET confirmed = true"))


def _make_replies() -> None:
    op.create_table(
        "replies",
        sa.Column("id", sa.String(26), nullable=False),
        sa.Column("source", sa.LargeBinary(32), nullable=False),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("message", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_replies"),
        _of_source("replies"),
    )
    op.create_index("ix_replies_source", "replies", ["source"])


def _make_parts() -> None:
    op.create_table(
        "part_sets",
        sa.Column("id", sa.String(26), nullable=False),
        sa.Column("source", sa.LargeBinary(32), nullable=False),
        sa.Column("mark", sa.LargeBinary(32), nullable=False),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_part_sets"),
        sa.UniqueConstraint("source", "mark", name="uq_part_sets_source"),
        _of_source("part_sets"),
    )
    op.create_table(
        "parts",
        sa.Column("set", sa.String(26), nullable=False),
        sa.Column("mark", sa.LargeBinary(32), nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("set", "mark", name="pk_parts"),
        sa.ForeignKeyConstraint(["set"], ["part_sets.id"], name="fk_parts_set", ondelete="CASCADE"),
    )


def _of_source(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["source"], ["sources.locator"], name=f"fk_{table}_source", ondelete="CASCADE"
    )
