"""Telegram, through python-telegram-bot's Bot: verifies, fetches, sends, and says why it could not.

telegram_updates.py turns an update into an Incoming. What Telegram bears: 30 messages a second over all, one a
second to one chat, 4,096 UTF-16 units of text, 64 bytes of data behind a button.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import mimetypes
from collections.abc import Awaitable, Mapping
from typing import Any, Self

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, ReplyParameters
from telegram.constants import ChatAction
from telegram.error import BadRequest, TelegramError

from bot.channels.fit import button_data, pieces, utf16
from bot.channels.http import Refused
from bot.channels.telegram_errors import failure
from bot.channels.telegram_group import TelegramGroup, parse_with_group
from bot.channels.telegram_http import Request
from bot.channels.telegram_updates import ALLOWED, CHOSEN, Callback
from bot.messages import TRIED_AGAIN, Button, Incoming, Kind, Limits, Outgoing
from bot.settings import Telegram as Account

logger = logging.getLogger(__name__)

_MOST_TEXT = 4096
_MOST_DATA = 64
_ROW = 26  # letters of buttons that stand side by side on a phone
_POLL_SECONDS = 25
_AT_ONCE = 100
_ANSWERED = (Kind.TEXT, Kind.CHOICE, Kind.LOCATION, Kind.MEDIA, Kind.CONTACT)
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


class Telegram:
    """One bot account; open it with `async with`."""

    limits = Limits(per_second=30.0, person_seconds=1.0)

    def __init__(self, account: Account) -> None:
        self._account = account
        self._there: dict[Outgoing, int] = {}  # how many pieces of a long reply came through before it failed
        self.bot = _RawBot(
            account.token,
            base_url=f"{account.api_base}/bot",
            base_file_url=f"{account.api_base}/file/bot",
            request=Request(account.api_base, connections=64, read_seconds=10),
            get_updates_request=Request(account.api_base, connections=2, read_seconds=_POLL_SECONDS + 10),
        )

    async def __aenter__(self) -> Self:
        for request in self.bot._request:
            await request.initialize()
        return self

    async def __aexit__(self, *_: object) -> None:
        for request in self.bot._request:
            await request.shutdown()

    def verify(self, headers: Mapping[str, str]) -> None:
        """Raises Refused with 401 unless the call carries our secret."""
        given = headers.get("X-Telegram-Bot-Api-Secret-Token", "")
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._account.secret.encode()):
            raise Refused(401, "wrong_signature")

    def parse(self, body: bytes) -> Incoming:
        """The update in a webhook call. Raises Refused with 400 when it is not JSON."""
        try:
            raw = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise Refused(400, "not_json") from error
        if not isinstance(raw, dict):
            raise Refused(400, "wrong_shape")
        return parse_with_group(raw, self._account.coach_group)

    async def listen_by_polling(self) -> None:
        """Take away a webhook that was set earlier: Telegram refuses getUpdates beside one. Raises NotSent."""
        try:
            await self.bot.delete_webhook()
        except TelegramError as error:
            raise failure(error) from error

    async def listen_by_webhook(self) -> None:
        """Tell Telegram where to call. Raises NotSent."""
        try:
            await self.bot.set_webhook(
                self._account.webhook or "",
                allowed_updates=ALLOWED,
                secret_token=self._account.secret,
                max_connections=40,
            )
        except TelegramError as error:
            raise failure(error) from error

    async def fetch(self, offset: int | None) -> tuple[list[Incoming], int | None]:
        """The updates from `offset` on (waiting for one when there are none), and the next offset. Raises NotSent."""
        try:
            raw = await self.bot.raw_updates(offset)
        except TelegramError as error:
            raise failure(error) from error
        numbers = [update["update_id"] for update in raw if type(update.get("update_id")) is int]
        group = self._account.coach_group
        return [parse_with_group(update, group) for update in raw], max(numbers) + 1 if numbers else offset

    async def received(self, incoming: Incoming) -> None:
        """Show that it came in: the button's clock stops, the chosen one is marked, "typing" appears."""
        if isinstance(incoming.courtesy, Callback):
            await _politely(self.bot.answer_callback_query(incoming.courtesy.query_id))
            await _politely(self._mark_chosen(incoming, incoming.courtesy))
        if incoming.kind in _ANSWERED:
            await _politely(self.bot.send_chat_action(int(incoming.address), ChatAction.TYPING))

    async def _mark_chosen(self, incoming: Incoming, callback: Callback) -> None:
        marked = [[_marked(button, callback.data) for button in row] for row in callback.keyboard]
        if incoming.message_id and marked and marked != [list(row) for row in callback.keyboard]:
            await self.bot.edit_message_reply_markup(
                int(incoming.address), int(incoming.message_id), reply_markup=InlineKeyboardMarkup(marked)
            )

    async def send(self, outgoing: Outgoing) -> str | None:
        """Send one reply; the id of its (last) message. Raises NotSent."""
        try:
            return str(await self._send(outgoing))
        except TelegramError as error:
            problem = failure(error)
            if problem.failure not in TRIED_AGAIN:
                self._there.pop(outgoing, None)
            raise problem from error

    async def _send(self, outgoing: Outgoing) -> int:
        chat, reply, place = int(outgoing.address), outgoing.reply, outgoing.reply.place
        quote = ReplyParameters(int(outgoing.quote), allow_sending_without_reply=True) if outgoing.quote else None
        keyboard = _keyboard(reply.buttons)
        if not place:
            return await self._send_text(chat, outgoing, quote, keyboard)
        spot = (place.latitude, place.longitude, place.name, place.address)
        return (await self.bot.send_venue(chat, *spot, reply_markup=keyboard, reply_parameters=quote)).message_id

    async def _send_text(
        self, chat: int, outgoing: Outgoing, quote: ReplyParameters | None, keyboard: InlineKeyboardMarkup | None
    ) -> int:
        """In pieces when it is long; a try after a failure goes on where the one before stopped."""
        parts = pieces(outgoing.reply.text, _MOST_TEXT, utf16)
        sent = 0
        for number in range(self._there.get(outgoing, 0), len(parts)):
            message = await self.bot.send_message(
                chat,
                parts[number],
                reply_markup=None if parts[number + 1 :] else keyboard,
                reply_parameters=None if number else quote,
                link_preview_options=_NO_PREVIEW,
            )
            sent = message.message_id
            if len(parts) > 1:  # also after the last: the next reply keeps its distance too
                self._there[outgoing] = number + 1
                await asyncio.sleep(self.limits.person_seconds)
        self._there.pop(outgoing, None)
        return sent

    async def typing(self, outgoing: Outgoing) -> None:
        """Show that a coach writes. Raises NotSent."""
        try:
            await self.bot.send_chat_action(int(outgoing.address), ChatAction.TYPING)
        except TelegramError as error:
            raise failure(error) from error

    async def download(self, media_id: str) -> tuple[str, bytes]:
        """(mime type, bytes) of a file a person sent. Raises NotSent, and LookupError when it is gone."""
        try:
            file = await self.bot.get_file(media_id)
            return mimetypes.guess_type(file.file_path or "")[0] or "", bytes(await file.download_as_bytearray())
        except BadRequest as error:
            raise LookupError("file") from error
        except TelegramError as error:
            raise failure(error) from error

    def group(self) -> TelegramGroup | None:
        """The coaches' group, when there is one."""
        return TelegramGroup(self.bot, self._account.coach_group) if self._account.coach_group else None

    async def knock(self, outgoing: Outgoing) -> bool:
        """Telegram has no window that closes."""
        return False


class _RawBot(Bot):
    async def raw_updates(self, offset: int | None) -> list[dict[str, Any]]:
        """getUpdates unparsed: one update the library cannot read would otherwise block all others."""
        request = {"timeout": _POLL_SECONDS, "limit": _AT_ONCE, "allowed_updates": list(ALLOWED)}
        if offset is not None:
            request["offset"] = offset
        result = await self._post("getUpdates", request, read_timeout=_POLL_SECONDS + 5)
        return [update for update in result if isinstance(update, dict)] if isinstance(result, list) else []


async def _politely(courtesy: Awaitable[object]) -> None:
    """What is nice to have: without it the conversation goes on all the same."""
    try:
        await courtesy
    except TelegramError as error:
        logger.info("no courtesy: %s", type(error).__name__)


def _keyboard(buttons: tuple[Button, ...]) -> InlineKeyboardMarkup | None:
    """Short buttons side by side, long ones under each other."""
    rows: list[list[InlineKeyboardButton]] = []
    left = 0
    for button in buttons:
        made = InlineKeyboardButton(button.title, callback_data=button_data(button.payload, _MOST_DATA))
        if rows and len(button.title) <= left:
            rows[-1].append(made)
            left -= len(button.title)
        else:
            rows.append([made])
            left = _ROW - len(button.title)
    return InlineKeyboardMarkup(rows) if rows else None


def _marked(button: InlineKeyboardButton, data: str) -> InlineKeyboardButton:
    """The button with a tick when it is the one that was pressed."""
    if button.callback_data != data or button.text.startswith(CHOSEN):
        return button
    return InlineKeyboardButton(CHOSEN + button.text, callback_data=data)
