"""From a Telegram update to an Incoming. Pure: no requests, nothing kept.

Whatever Telegram sends becomes exactly one Incoming, so that no update is lost in silence; one that
python-telegram-bot cannot read becomes UNREADABLE and holds up nobody.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from telegram import CallbackQuery, Chat, ChatMember, ChatMemberUpdated, InlineKeyboardButton, Message, Update, User
from telegram.error import TelegramError

from bot.channels.fit import HASHED
from bot.messages import Incoming, Kind, Media, clean

NAME = "telegram"
ALLOWED = ("message", "edited_message", "callback_query", "my_chat_member")
CHOSEN = "✓ "  # in front of a button that was pressed
_TO_BOT = re.compile(r"^(/\w+)@\w+")
_SOURCE = re.compile(r"/start\s+([\w-]{1,64})$", re.ASCII)
_THERE = (ChatMember.MEMBER, ChatMember.ADMINISTRATOR, ChatMember.OWNER, ChatMember.RESTRICTED)
_MEDIA = {
    Media.VOICE: ("voice", "audio"),
    Media.PICTURE: ("photo", "video", "animation", "sticker", "video_note"),
    Media.FILE: ("document",),
    Media.OTHER: ("poll", "dice", "game", "story", "invoice", "paid_media", "checklist"),
}
_MOST_KEPT = 20_000  # characters of an update nobody could read


@dataclass(frozen=True)
class Callback:
    """A pressed button: what to answer, and the keyboard it stands in."""

    query_id: str
    data: str
    keyboard: tuple[tuple[InlineKeyboardButton, ...], ...]


def parse_update(raw: Mapping[str, Any]) -> Incoming:
    """The one Incoming of an update as Telegram sent it; never raises."""
    try:
        update = Update.de_json(dict(raw), None)
        return _read(update)
    except (TelegramError, TypeError, ValueError, KeyError, AttributeError):
        return _unreadable(raw)


def _read(update: Update) -> Incoming:
    key = str(update.update_id)
    if update.callback_query:
        return _choice(key, update.callback_query)
    if update.my_chat_member:
        return _membership(key, update.my_chat_member)
    if update.edited_message:
        return _incoming(key, update.edited_message.chat, update.edited_message.from_user, Kind.EDITED)
    if update.message:
        return _message(key, update.message)
    raise ValueError("an update of another kind")


def _message(key: str, message: Message) -> Incoming:
    chat, person = message.chat, message.from_user
    if message.migrate_to_chat_id:
        moved = str(message.migrate_to_chat_id)
        return Incoming(NAME, key, moved, Kind.IDLE, payload="moved", alias=str(chat.id))
    if person and person.is_bot:
        return _incoming(key, chat, person, Kind.IDLE, payload="bot")
    if chat.type != Chat.PRIVATE:
        spoken = message.text or message.caption
        return _incoming(key, chat, person, Kind.GROUP if spoken else Kind.IDLE, payload=None if spoken else "service")
    number = str(message.message_id)
    if message.text:
        return _text(key, message, number)
    if message.location or message.venue:
        return _incoming(key, chat, person, Kind.LOCATION, message_id=number)
    if message.contact:
        return _incoming(key, chat, person, Kind.CONTACT, message_id=number)
    for media, names in _MEDIA.items():
        if any(getattr(message, name, None) for name in names):
            caption = clean(message.caption or "")
            return _incoming(key, chat, person, Kind.MEDIA, text=caption, payload=media, message_id=number)
    return _incoming(key, chat, person, Kind.IDLE, payload="service")


def _text(key: str, message: Message, number: str) -> Incoming:
    text = clean(_TO_BOT.sub(r"\1", message.text or ""))
    if not text:
        return _incoming(key, message.chat, message.from_user, Kind.MEDIA, payload=Media.OTHER, message_id=number)
    started = _SOURCE.match(text)
    source = started.group(1) if started else None
    return _incoming(key, message.chat, message.from_user, Kind.TEXT, text=text, message_id=number, source=source)


def _choice(key: str, query: CallbackQuery) -> Incoming:
    message, data = query.message, query.data or ""
    if message is None or message.chat.type != Chat.PRIVATE:
        address = message.chat.id if message else query.from_user.id
        return Incoming(NAME, key, str(address), Kind.IDLE, payload="button", courtesy=Callback(query.id, data, ()))
    markup = message.reply_markup if isinstance(message, Message) else None
    keyboard = markup.inline_keyboard if markup else ()
    title = next((b.text.removeprefix(CHOSEN) for row in keyboard for b in row if b.callback_data == data), "")
    payload = None if data.startswith(HASHED) else data
    return _incoming(
        key,
        message.chat,
        query.from_user,
        Kind.CHOICE if payload else Kind.TEXT,
        text=clean(title),
        payload=payload,
        message_id=str(message.message_id),
        courtesy=Callback(query.id, data, keyboard),
    )


def _membership(key: str, change: ChatMemberUpdated) -> Incoming:
    there, was = change.new_chat_member.status in _THERE, change.old_chat_member.status in _THERE
    if change.chat.type == Chat.PRIVATE:
        kind = Kind.UNBLOCKED if there else Kind.BLOCKED
    else:
        kind = Kind.GROUP if there and not was else Kind.IDLE
    return _incoming(key, change.chat, change.from_user, kind, payload="membership" if kind is Kind.IDLE else None)


def _incoming(key: str, chat: Chat, person: User | None, kind: Kind, **more: Any) -> Incoming:
    hint = person.language_code if person else None
    return Incoming(NAME, key, str(chat.id), kind, language_hint=hint, **more)


def _unreadable(raw: Mapping[str, Any]) -> Incoming:
    kept = json.dumps(raw, ensure_ascii=False, default=str, sort_keys=True)
    key = raw.get("update_id")
    if not isinstance(key, int):
        key = f"unnumbered:{hashlib.sha256(kept.encode()).hexdigest()[:32]}"
    return Incoming(NAME, str(key), "unreadable", Kind.UNREADABLE, payload=kept[:_MOST_KEPT])
