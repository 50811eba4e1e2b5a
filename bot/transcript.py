"""Reads what was said in a conversation, for the page of the person (and later the coach's desk)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.database import conversation, inbox, single, transcript
from bot.messages import Author, Line, Place, read_buttons

MOST_LINES = 500


async def conversation_of(database: AsyncEngine, channel: str, address: str) -> int | None:
    """The id of the conversation with `address`, None when nothing was written yet."""
    query = select(conversation.c.id).where(conversation.c.channel == channel, conversation.c.address == address)
    async with single(database).connect() as link:
        return (await link.execute(query)).scalar()


async def lines(database: AsyncEngine, conversation_id: int, after: int = 0) -> list[Line]:
    """The lines after position `after`, in order, at most MOST_LINES; forgotten ones are left out."""
    query = (
        select(transcript, inbox.c.external_id)
        .outerjoin(inbox, inbox.c.id == transcript.c.inbox_id)
        .where(transcript.c.conversation_id == conversation_id, transcript.c.position > after, transcript.c.text != "")
        .order_by(transcript.c.position)
        .limit(MOST_LINES)
    )
    async with single(database).connect() as link:
        rows = (await link.execute(query)).all()
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
        )
        for row in rows
    ]


async def waiting(database: AsyncEngine, conversation_id: int) -> list[tuple[str, str]]:
    """(external id, text) of messages that are accepted but not answered yet, in order."""
    query = (
        select(inbox.c.external_id, inbox.c.text)
        .where(inbox.c.conversation_id == conversation_id, inbox.c.outcome.is_(None))
        .order_by(inbox.c.id)
    )
    async with single(database).connect() as link:
        return [(row.external_id, row.text or "") for row in await link.execute(query)]
