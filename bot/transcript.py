"""What was said in a conversation: read for the page of the person, added to by coaches and timers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import BigInteger, Integer, Text, and_, bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot import outbox
from bot.database import single
from bot.messages import Author, Line, Place, Reply, read_buttons
from bot.tables import conversation, inbox, transcript

MOST_LINES = 500


# Built once: putting a query together costs more than running it.
_LINES = (
    select(transcript, inbox.c.external_id)
    .outerjoin(inbox, inbox.c.id == transcript.c.inbox_id)
    .where(
        transcript.c.conversation_id == bindparam("conversation"),
        transcript.c.position > bindparam("after"),
        transcript.c.text != "",
    )
    .order_by(transcript.c.position)
    .limit(MOST_LINES)
)
_OPEN = (
    select(conversation.c.id, inbox.c.external_id, inbox.c.text)
    .outerjoin(inbox, and_(inbox.c.conversation_id == conversation.c.id, inbox.c.outcome.is_(None)))
    .where(conversation.c.channel == bindparam("channel"), conversation.c.address == bindparam("address"))
    .order_by(inbox.c.id)
)


async def open_talk(database: AsyncEngine, channel: str, address: str) -> tuple[int, list[tuple[str, str]]] | None:
    """The conversation's id, and (external id, text) of messages accepted but not answered yet, in order.

    None when nothing was written yet.
    """
    async with single(database).connect() as link:
        rows = (await link.execute(_OPEN, {"channel": channel, "address": address})).all()
    return (rows[0].id, [(row.external_id, row.text or "") for row in rows if row.external_id]) if rows else None


async def lines(database: AsyncEngine, conversation_id: int, after: int = 0) -> list[Line]:
    """The lines after position `after`, in order, at most MOST_LINES; forgotten ones are left out."""
    async with single(database).connect() as link:
        rows = (await link.execute(_LINES, {"conversation": conversation_id, "after": after})).all()
    return [
        Line(
            position=row.position,
            author=Author(row.author),
            text=row.text,
            buttons=read_buttons(row.buttons),
            language=row.language,
            at=row.at.timestamp(),
            external_id=row.external_id if row.author == Author.PERSON else None,
            place=Place(**row.place) if row.place else None,
            coach=row.coach,
        )
        for row in rows
    ]


_APPEND = text(
    f"""
    WITH held AS (
        UPDATE conversation SET last_position = last_position + :count WHERE id = :conversation
        RETURNING id, channel, language, last_position - :count AS before
    ), said AS (
        INSERT INTO transcript
            (conversation_id, inbox_id, position, author, coach, text, buttons, place, dutch, topic, language)
        SELECT held.id, :inbox, held.before + line.number, :author, :coach, line.text, line.buttons, line.place,
            line.dutch, :topic, coalesce(:language, held.language)
        FROM held, jsonb_to_recordset(:lines) AS line
            (number int, text text, buttons jsonb, place jsonb, dutch text)
        ORDER BY line.number RETURNING id, author, position
    ), {outbox.ENTER}
    SELECT max(position) FROM said
    """
).bindparams(
    bindparam("lines", type_=transcript.c.buttons.type),
    bindparam("count", type_=Integer),
    bindparam("coach", type_=Text),
    bindparam("topic", type_=Text),
    bindparam("language", type_=Text),
    bindparam("quote", type_=Text),
    bindparam("inbox", type_=BigInteger),
)


async def append(
    link: AsyncConnection,
    conversation_id: int,
    replies: Sequence[Reply],
    author: Author,
    *,
    coach: str | None = None,
    topic: str | None = None,
    language: str | None = None,
    quote: str | None = None,
    inbox_id: int | None = None,
) -> int:
    """Say something that is no answer to a message: the lines, and their rows in the outbox; the last position.

    `inbox_id` is the message of a coach (on Telegram) that these lines pass on, `quote` the message they stand under.
    """
    lines = [
        {
            "number": number,
            "text": reply.text,
            "buttons": list(map(asdict, reply.buttons)),
            "place": asdict(reply.place) if reply.place else None,
            "dutch": reply.dutch,
        }
        for number, reply in enumerate(replies, start=1)
    ]
    values = {"conversation": conversation_id, "lines": lines, "count": len(lines), "author": author}
    values |= {"coach": coach, "topic": topic, "language": language, "quote": quote, "inbox": inbox_id}
    return int((await link.execute(_APPEND, values)).scalar_one())
