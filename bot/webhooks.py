"""What platforms call: a request is verified and parsed by its channel, and answered once everything is on disk.

Anything but 200 makes the platform come again; a repeat is acknowledged and ignored.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import inbox, receipts
from bot.channels.http import read_body
from bot.channels.whatsapp import WhatsApp
from bot.doorman import Doorman

if TYPE_CHECKING:  # its library takes a second to load; who has no Telegram need not wait
    from bot.channels.telegram import Telegram

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_MOST_BYTES = 3_000_000  # Meta's own limit; Telegram's updates are far smaller
_BODY_SECONDS = 10.0


class Webhooks:
    """The handlers of the channels that are configured."""

    def __init__(
        self,
        database: AsyncEngine,
        acceptor: inbox.Acceptor,
        telegram: Telegram | None = None,
        whatsapp: WhatsApp | None = None,
    ) -> None:
        self._database = database
        self._acceptor = acceptor
        self._telegram = telegram
        self._whatsapp = whatsapp

    def routes(self) -> list[web.RouteDef]:
        found = []
        if self._telegram:
            found.append(web.post("/webhooks/telegram", self._from_telegram(self._telegram)))
        if self._whatsapp:
            found.append(web.get("/webhooks/whatsapp", self._challenge(self._whatsapp)))
            found.append(web.post("/webhooks/whatsapp", self._from_whatsapp(self._whatsapp)))
        return found

    def _from_telegram(self, channel: Telegram) -> Handler:
        door = Doorman(self._acceptor, channel)

        async def handle(request: web.Request) -> web.StreamResponse:
            channel.verify(request.headers)
            await door.accept([channel.parse(await read_body(request, _MOST_BYTES, _BODY_SECONDS))])
            return web.Response()

        return handle

    def _challenge(self, channel: WhatsApp) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            return web.Response(text=channel.challenge(request.query))

        return handle

    def _from_whatsapp(self, channel: WhatsApp) -> Handler:
        door = Doorman(self._acceptor, channel)

        async def handle(request: web.Request) -> web.StreamResponse:
            messages, told = channel.parse(request.headers, await read_body(request, _MOST_BYTES, _BODY_SECONDS))
            await door.accept(messages)
            await receipts.keep(self._database, told)
            return web.Response()

        return handle
