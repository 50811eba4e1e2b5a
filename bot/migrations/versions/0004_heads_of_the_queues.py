"""Claims look at the oldest open row of each conversation: one index each is enough, and a second one misleads."""

from __future__ import annotations

from bot.migrations.statements import run

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_UP = """
DROP INDEX inbox_open;
DROP INDEX outbox_open;
"""
_DOWN = """
CREATE INDEX inbox_open ON inbox (id) WHERE outcome IS NULL;
CREATE INDEX outbox_open ON outbox (id) WHERE outcome IS NULL;
"""


def upgrade() -> None:
    run(_UP)


def downgrade() -> None:
    run(_DOWN)
