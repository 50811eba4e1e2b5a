"""Runs the bot: opens everything, answers until told to stop, closes everything in reverse order.

Its front takes messages in and shows pages, its work is answering and sending. They meet only in the database, so each
can be a process of its own (`up` and docker-compose.yml do so): who brings a message never waits for an answer.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import logging
import signal
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from aiohttp import web

from bot.answer import Answerer
from bot.channels.telegram_updates import NAME as TELEGRAM
from bot.channels.webchat import Visitor
from bot.channels.whatsapp import WhatsApp
from bot.channels.whatsapp_updates import NAME as WHATSAPP
from bot.coach.known import Known
from bot.commands import postgres
from bot.commands.coaching import Work, coaching
from bot.commands.models import language_model
from bot.database import AT_WORK, FRONT, Bell, engine, free_dead_claims
from bot.deliver import Channel, Deliverer
from bot.inbox import Acceptor
from bot.language import Detector
from bot.messages import NotSent
from bot.migrations.run import migrate
from bot.polling import poll
from bot.respond import Responder, watch_claims
from bot.settings import Role, Settings, SettingsError
from bot.settings import Telegram as TelegramAccount
from bot.understanding import Understanding
from bot.web import Web
from bot.webhooks import Webhooks

if TYPE_CHECKING:  # its library takes a second to load; who has no Telegram need not wait
    from bot.channels.telegram import Telegram

logger = logging.getLogger(__name__)

_IDLE = 30.0  # seconds: a connection that sends no whole request for so long is closed


@contextlib.asynccontextmanager
async def running(settings: Settings, database_url: str, role: Role = Role.ALL) -> AsyncIterator[Web]:
    """All workers of `role` at work on `database_url`; on the way out none is torn in the middle of a message."""
    database = engine(database_url)
    bell = Bell(database_url, FRONT if role is Role.FRONT else AT_WORK)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(database.dispose)
        await migrate(database)
        understanding = await stack.enter_async_context(Understanding(settings.nlu_url))

        async def fresh_start() -> None:
            await free_dead_claims(database)

        acceptor = Acceptor(database)
        telegram = await stack.enter_async_context(_telegram(settings.telegram)) if settings.telegram else None
        whatsapp = await stack.enter_async_context(WhatsApp(settings.whatsapp)) if settings.whatsapp else None
        coaches = coaching(settings, database_url, database, bell, understanding, telegram, whatsapp)
        works: list[Work] = [lambda: bell.listen(fresh_start)]
        if role is not Role.WORK:
            works += [coaches.live, *_listening(settings, telegram, acceptor, bell)]
        if role is not Role.FRONT:
            detector = Detector.load(language_model(settings.folder))
            channels: dict[str, Channel] = {TELEGRAM: telegram} if telegram else {}
            channels |= {WHATSAPP: whatsapp} if whatsapp else {}
            works += [
                lambda: watch_claims(database),
                Deliverer(database, bell, channels).run,
                Responder(database, bell, Answerer(understanding, detector, Known(database))).run,
                *coaches.works,
            ]
        for work in works:
            stack.push_async_callback(_stop, asyncio.create_task(_for_ever(work)))
        visitor = Visitor(settings.secret, settings.secure_cookies)
        webhooks = Webhooks(database, acceptor, telegram, whatsapp)
        routes = [*webhooks.routes(), *coaches.desk.routes()]
        yield Web(database, bell, understanding, acceptor, visitor, routes)


def _telegram(account: TelegramAccount) -> Telegram:
    from bot.channels.telegram import Telegram

    return Telegram(account)


def _listening(settings: Settings, telegram: Telegram | None, acceptor: Acceptor, bell: Bell) -> list[Work]:
    """How Telegram's messages come in: fetched, or announced where to bring them."""
    if telegram is None or settings.telegram is None:
        return []
    if settings.telegram.webhook:
        return [lambda: _announce_webhook(telegram)]
    return [lambda: poll(telegram, acceptor, bell)]


async def command(settings: Settings, arguments: argparse.Namespace) -> None:
    """The command line."""
    if settings.database_url is None:
        raise SettingsError("DATABASE_URL is not set; `./tekkie up` brings a database of its own.")
    await postgres.check(settings.database_url)
    await serve(settings, settings.database_url, arguments.host, arguments.port, arguments.part)


async def serve(settings: Settings, database_url: str, host: str, port: int, role: Role = Role.ALL) -> None:
    """Be `role` until SIGINT or SIGTERM; the front is on `host`:`port`. Raises OSError when the port is taken."""
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    async with running(settings, database_url, role) as site:
        gc.freeze()  # what is made once never becomes garbage: keep the collector off it
        if role is Role.WORK:
            logger.info("at work")
            await stopped.wait()
            return
        runner = web.AppRunner(site.application(), access_log=None, shutdown_timeout=1.0, keepalive_timeout=_IDLE)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port, backlog=512).start()
            logger.info("listening on %s port %d", host, port)
            await stopped.wait()
        finally:
            await runner.cleanup()


async def _announce_webhook(telegram: Telegram) -> None:
    """Tell Telegram where to call, until it has heard; then there is nothing more to do."""
    while True:
        try:
            await telegram.listen_by_webhook()
            logger.info("Telegram knows our webhook")
            break
        except NotSent as problem:
            logger.error("Telegram does not take our webhook: %s", problem)
            await asyncio.sleep(max(problem.seconds, 10))
    await asyncio.Event().wait()


async def _for_ever(work: Work) -> None:
    """No worker may end in silence: whatever it did not expect is logged, and it starts again."""
    while True:
        try:
            await work()
        except Exception:
            logger.exception("a worker stopped; starting it again")
        await asyncio.sleep(1)


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
