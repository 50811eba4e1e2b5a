"""The coaches' group on Telegram: a supergroup with forum topics, one per case (bot/coach/group.py).

What coaches write there comes in like any update; here it becomes a COLLEAGUE instead of a GROUP message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, Update
from telegram.error import BadRequest, TelegramError

from bot.channels.telegram_errors import failure
from bot.channels.telegram_updates import NAME, Callback, parse_update
from bot.messages import Button, Incoming, InGroup, Kind, ThreadGone, clean

_GONE = ("message thread not found", "topic_deleted", "topic_id_invalid", "thread not found")
_CASE = "case:"  # in front of what a button does


class TelegramGroup:
    """`chat` is the id of the supergroup; the bot is an administrator there who may manage topics."""

    def __init__(self, bot: Bot, chat: int) -> None:
        self._bot = bot
        self._chat = chat

    async def open_thread(self, name: str) -> int:
        """The id of a new topic. Raises NotSent."""
        try:
            return int((await self._bot.create_forum_topic(self._chat, name)).message_thread_id)
        except TelegramError as error:
            raise failure(error) from error

    async def post(self, thread: int, words: str, buttons: Sequence[Button] = ()) -> None:
        """Raises NotSent, and ThreadGone when the topic was deleted."""
        keyboard = [[InlineKeyboardButton(b.title, callback_data=_CASE + b.payload)] for b in buttons]
        try:
            await self._bot.send_message(
                self._chat,
                words,
                message_thread_id=thread,
                reply_markup=InlineKeyboardMarkup(keyboard) if keyboard else None,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )
        except TelegramError as error:
            raise _problem(error) from error

    async def close_thread(self, thread: int) -> None:
        """Raises NotSent, and ThreadGone when the topic was deleted."""
        try:
            await self._bot.close_forum_topic(self._chat, thread)
        except BadRequest as error:
            if "not_modified" not in error.message.lower():  # closed already
                raise _problem(error) from error
        except TelegramError as error:
            raise _problem(error) from error


def parse_with_group(raw: Mapping[str, Any], group: int | None) -> Incoming:
    """An update like any other, unless it comes from the coaches' group; never raises."""
    incoming = parse_update(raw)
    if group is None or incoming.address != str(group) or incoming.kind not in (Kind.GROUP, Kind.IDLE):
        return incoming
    try:
        return _from_group(Update.de_json(dict(raw), None), incoming) or incoming
    except (AttributeError, TypeError, ValueError):  # broken where only a group's updates are looked at
        return incoming


def _from_group(update: Update, incoming: Incoming) -> Incoming | None:
    """What a coach wrote or pressed in a topic; None for anything else that happens in the group."""
    query = update.callback_query
    message = query.message if query else update.message
    thread = getattr(message, "message_thread_id", None)
    if not thread or message is None:
        return None
    if query and (query.data or "").startswith(_CASE):
        talk = InGroup(thread, query.from_user.id, (query.data or "").removeprefix(_CASE))
        courtesy = Callback(query.id, query.data or "", ())
        return _made(incoming, talk, "", str(message.message_id), courtesy)
    if update.message and update.message.text and update.message.from_user and not update.message.from_user.is_bot:
        talk = InGroup(thread, update.message.from_user.id)
        return _made(incoming, talk, clean(update.message.text), str(update.message.message_id))
    return None


def _made(incoming: Incoming, talk: InGroup, text: str, number: str, courtesy: object = None) -> Incoming:
    payload = json.dumps(asdict(talk))
    return Incoming(
        NAME,
        incoming.external_id,
        incoming.address,
        Kind.COLLEAGUE,
        text,
        payload,
        message_id=number,
        courtesy=courtesy,
    )


def _problem(error: TelegramError) -> Exception:
    gone = isinstance(error, BadRequest) and any(words in error.message.lower() for words in _GONE)
    return ThreadGone() if gone else failure(error)
