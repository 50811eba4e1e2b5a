"""Phone channels: who blocked us, where people came from, places, quotes, parked replies, receipts."""

from __future__ import annotations

from bot.migrations.statements import run

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_UP = """
ALTER TABLE conversation ADD alias text, ADD source text, ADD heard_at timestamptz, ADD blocked_at timestamptz,
    ADD muted_at timestamptz;
CREATE INDEX conversation_alias ON conversation (channel, alias) WHERE alias IS NOT NULL;
ALTER TABLE inbox ADD message_id text, ADD source text;
ALTER TABLE transcript ADD place jsonb;
ALTER TABLE outbox ADD quote text, ADD parked_at timestamptz;
CREATE INDEX outbox_platform ON outbox (channel, platform_id) WHERE platform_id IS NOT NULL;
CREATE TABLE receipt (
    channel text NOT NULL,
    platform_id text NOT NULL,
    status text NOT NULL,
    failure text,
    detail text NOT NULL DEFAULT '',
    at timestamptz NOT NULL DEFAULT now(),
    applied boolean NOT NULL DEFAULT false,
    PRIMARY KEY (channel, platform_id, status)
);
CREATE INDEX receipt_open ON receipt (at) WHERE status = 'failed' AND NOT applied
"""

_DOWN = """
DROP TABLE receipt;
DROP INDEX outbox_platform;
ALTER TABLE outbox DROP quote, DROP parked_at;
ALTER TABLE transcript DROP place;
ALTER TABLE inbox DROP message_id, DROP source;
DROP INDEX conversation_alias;
ALTER TABLE conversation DROP alias, DROP source, DROP heard_at, DROP blocked_at, DROP muted_at
"""


def upgrade() -> None:
    run(_UP)


def downgrade() -> None:
    run(_DOWN)
