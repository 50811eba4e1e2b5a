"""The tables of the path of a message.

A message lives in `inbox` until it is answered; the answer is a line of `transcript` with a row in
`outbox` until it is sent. `conversation` keeps the dialogue state and is the lock: whoever holds its
`claimed_by` may answer the next message of that conversation.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

conversation = Table(
    "conversation",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("alias", Text),  # an older or second address: the phone number beside a WhatsApp user id
    Column("language", Text),
    Column("language_from", Text),  # chosen, detected, hint
    Column("dialogue", JSONB),
    Column("mode", Text, nullable=False, server_default="bot"),  # who talks, see handover.py
    Column("awaits", Text),  # what the next message is taken for ("rating:KEY"), if it is no question
    Column("last_position", Integer, nullable=False, server_default="0"),
    Column("claimed_by", Integer),  # a worker id, see Bell
    # Not before this time: somebody who sends many messages at once is answered with a pause in between.
    Column("pace_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("slowed_at", DateTime(timezone=True)),
    Column("heard_at", DateTime(timezone=True)),  # the person's last message
    Column("blocked_at", DateTime(timezone=True)),  # nothing can be sent
    Column("muted_at", DateTime(timezone=True)),  # asked us not to write first
    Column("source", Text),  # the poster or link that brought the person
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    UniqueConstraint("channel", "address"),
)
Index(
    "conversation_alias",
    conversation.c.channel,
    conversation.c.alias,
    postgresql_where=conversation.c.alias.isnot(None),
)
Index("conversation_claimed", conversation.c.claimed_by, postgresql_where=conversation.c.claimed_by.isnot(None))

inbox = Table(
    "inbox",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("conversation_id", BigInteger, ForeignKey("conversation.id"), nullable=False),
    Column("channel", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("text", Text),  # emptied when the row is closed: the transcript has it
    Column("payload", Text),
    Column("language_hint", Text),
    Column("message_id", Text),  # what a reply can quote
    Column("source", Text),
    Column("attachment", JSONB),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("due_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("outcome", Text),
    Column("closed_at", DateTime(timezone=True)),
    UniqueConstraint("channel", "external_id"),
)
Index("inbox_open_of", inbox.c.conversation_id, inbox.c.id, postgresql_where=inbox.c.outcome.is_(None))

transcript = Table(
    "transcript",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("conversation_id", BigInteger, ForeignKey("conversation.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("inbox_id", BigInteger, ForeignKey("inbox.id")),
    Column("author", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("buttons", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    Column("place", JSONB),
    Column("dutch", Text),  # the same in Dutch, for coaches
    Column("coach", Text),  # the name of the coach who wrote it
    Column("attachment", JSONB),
    Column("language", Text),
    Column("topic", Text),
    Column("confidence", Float),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    UniqueConstraint("conversation_id", "position"),
)
Index(
    "transcript_once",
    transcript.c.inbox_id,
    unique=True,
    postgresql_where=transcript.c.author == "person",
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("conversation_id", BigInteger, ForeignKey("conversation.id"), nullable=False),
    Column("transcript_id", BigInteger, ForeignKey("transcript.id"), nullable=False, unique=True),
    Column("channel", Text, nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("claimed_by", Integer),
    Column("outcome", Text),
    Column("platform_id", Text),  # the channel's id of what was sent
    Column("quote", Text),  # the message id it answers, when others came in between
    Column("parked_at", DateTime(timezone=True)),  # waits until the person writes again
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("closed_at", DateTime(timezone=True)),
)
Index("outbox_open_of", outbox.c.conversation_id, outbox.c.id, postgresql_where=outbox.c.outcome.is_(None))

Index("outbox_platform", outbox.c.channel, outbox.c.platform_id, postgresql_where=outbox.c.platform_id.isnot(None))

receipt = Table(
    "receipt",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("platform_id", Text, primary_key=True),
    Column("status", Text, primary_key=True),  # sent, delivered, read, failed: in any order, each once
    Column("failure", Text),
    Column("detail", Text, nullable=False, server_default=""),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("applied", Boolean, nullable=False, server_default=text("false")),  # a failure the outbox knows of
)
Index("receipt_open", receipt.c.at, postgresql_where=(receipt.c.status == "failed") & ~receipt.c.applied)
