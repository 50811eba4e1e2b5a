"""Replies on the web chat have arrived once they are written: what still waits to be "sent" is closed."""

from __future__ import annotations

from bot.migrations.statements import run

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_UP = """
UPDATE outbox SET outcome = 'sent', closed_at = now(), claimed_by = NULL
WHERE channel = 'webchat' AND outcome IS NULL;
"""


def upgrade() -> None:
    run(_UP)


def downgrade() -> None:
    """Nothing: an older version sends what it writes itself."""
