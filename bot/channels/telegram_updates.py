"""From a Telegram update to an Incoming. Pure: no requests, nothing kept.

Whatever Telegram sends becomes exactly one Incoming, so that no update is lost in silence; one that
python-telegram-bot cannot read becomes UNREADABLE and holds up nobody.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from telegram import CallbackQuery, Chat, ChatMember, ChatMemberUpdated, InlineKeyboardButton, Message, Update, User

from bot.channels.fit import HASHED
from bot.messages import Attachment, Incoming, Kind, Media, clean, point

NAME = "telegram"
ALLOWED = ("message", "edited_message", "callback_query", "my_chat_member")
CHOSEN = "✓ "  # in front of a button that was pressed
_TO_BOT = re.compile(r"^(/\w+)@\w+")
_SOURCE = re.compile(r"/start\s+([\w-]{1,64})$", re.ASCII)
_THERE = (ChatMember.MEMBER, ChatMember.ADMINISTRATOR, ChatMember.OWNER, ChatMember.RESTRICTED)
_MEDIA = {
    Media.VOICE: ("voice", "audio"),
    Media.PICTURE: ("photo", "video", "animation", "sticker", "video_note", "live_photo"),
    Media.FILE: ("document",),
    Media.OTHER: ("poll", "dice", "game", "story", "invoice", "paid_media", "checklist"),
}
_MIMES = {"photo": "image/jpeg", "video_note": "video/mp4", "voice": "audio/ogg", "sticker": "image/webp"}
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
        return _storable(_read(Update.de_json(dict(raw), None)))
    except Exception:  # broken updates raise anything: a date alone OSError, OverflowError or ValueError
        return _unreadable(raw)


def _read(update: Update) -> Incoming:
    key = _number(update.update_id)
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
        moved = _number(message.migrate_to_chat_id)
        return Incoming(NAME, key, moved, Kind.IDLE, payload="moved", alias=_number(chat.id))
    if message.migrate_from_chat_id:
        known_as = _number(message.migrate_from_chat_id)
        return Incoming(NAME, key, _number(chat.id), Kind.IDLE, payload="moved", alias=known_as)
    if person and person.is_bot and not message.sender_chat:  # with one it is an administrator without a name
        return _incoming(key, chat, person, Kind.IDLE, payload="bot")
    if chat.type != Chat.PRIVATE:
        spoken = message.text or message.caption
        return _incoming(key, chat, person, Kind.GROUP if spoken else Kind.IDLE, payload=None if spoken else "service")
    number = _number(message.message_id)
    if message.text:
        return _text(key, message, number)
    if spot := message.location or (message.venue and message.venue.location):
        where = point(spot.latitude, spot.longitude)
        return _incoming(key, chat, person, Kind.LOCATION, text=where, message_id=number)
    if message.contact:
        return _incoming(key, chat, person, Kind.CONTACT, message_id=number)
    for media, names in _MEDIA.items():
        if any(getattr(message, name, None) for name in names):
            caption = clean(message.caption or "")
            file = _file(message, names)
            return _incoming(
                key, chat, person, Kind.MEDIA, text=caption, payload=media, message_id=number, attachment=file
            )
    if message.api_kwargs:  # newer than the library
        return _incoming(key, chat, person, Kind.MEDIA, payload=Media.OTHER, message_id=number)
    return _incoming(key, chat, person, Kind.IDLE, payload="service")


def _file(message: Message, names: Sequence[str]) -> Attachment | None:
    """What a coach may want to see: of a photo the largest size; None for a poll and the like."""
    name = next(name for name in names if getattr(message, name, None))
    file = getattr(message, name)
    file = file[-1] if name == "photo" else file
    if not getattr(file, "file_id", None):
        return None
    mime = getattr(file, "mime_type", None) or _MIMES.get(name, "")
    return Attachment(file.file_id, clean(getattr(file, "file_name", None) or ""), mime, int(file.file_size or 0))


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
        address = _number(message.chat.id if message else query.from_user.id)
        return Incoming(NAME, key, address, Kind.IDLE, payload="button", courtesy=Callback(query.id, data, ()))
    markup = message.reply_markup if isinstance(message, Message) else None
    keyboard = markup.inline_keyboard if markup else ()
    title = next((b.text.removeprefix(CHOSEN) for row in keyboard for b in row if b.callback_data == data), "")
    payload = None if data.startswith(HASHED) or not data else data
    return _incoming(
        key,
        message.chat,
        query.from_user,
        Kind.CHOICE if payload else Kind.TEXT,
        text=clean(title),
        payload=payload,
        message_id=_number(message.message_id),
        courtesy=Callback(query.id, data, keyboard),
    )


def _membership(key: str, change: ChatMemberUpdated) -> Incoming:
    there, was = change.new_chat_member.status in _THERE, change.old_chat_member.status in _THERE
    if change.chat.type == Chat.PRIVATE:
        kind = Kind.UNBLOCKED if there else Kind.BLOCKED
    else:
        asked_in = there and not was and change.chat.type != Chat.CHANNEL
        kind = Kind.GROUP if asked_in else Kind.IDLE
    return _incoming(key, change.chat, change.from_user, kind, payload="membership" if kind is Kind.IDLE else None)


def _incoming(key: str, chat: Chat, person: User | None, kind: Kind, **more: Any) -> Incoming:
    hint = person.language_code if person else None
    return Incoming(NAME, key, _number(chat.id), kind, language_hint=hint, **more)


def _number(value: object) -> str:
    """An id as text. Raises TypeError for what is none: the library takes anything."""
    if not _is_id(value):
        raise TypeError("not an id")
    return str(value)


def _is_id(value: object) -> bool:
    return type(value) is int and abs(value) < 2**63


def _storable(incoming: Incoming) -> Incoming:
    """The same. Raises when the database could not keep it: one that cannot be kept would hold up all behind it."""
    file = incoming.attachment
    told = (file.media_id, file.name, file.mime) if file else ()
    for value in (incoming.text, incoming.payload or "", incoming.language_hint or "", *told):
        if b"\0" in value.encode():
            raise ValueError("a zero byte")
    return incoming


def _unreadable(raw: Mapping[str, Any]) -> Incoming:
    try:
        kept = json.dumps(raw, ensure_ascii=False, default=str, sort_keys=True)
    except (RecursionError, TypeError):
        kept = "nested too deep"
    kept = kept.encode("utf-8", "backslashreplace").decode()  # half a surrogate pair is no text
    key = raw.get("update_id")
    if not _is_id(key):
        key = f"unnumbered:{hashlib.sha256(kept.encode()).hexdigest()[:32]}"
    return Incoming(NAME, str(key), "unreadable", Kind.UNREADABLE, payload=kept[:_MOST_KEPT])
