"""Runs the bot: opens everything, answers until told to stop, closes everything in reverse order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web

from bot.answer import Answerer
from bot.channels.telegram import Telegram
from bot.channels.telegram_updates import NAME as TELEGRAM
from bot.channels.webchat import NAME as WEBCHAT
from bot.channels.webchat import Visitor, Webchat
from bot.channels.whatsapp import WhatsApp
from bot.channels.whatsapp_updates import NAME as WHATSAPP
from bot.coach.known import Known
from bot.commands.coaching import coaching
from bot.commands.models import language_model
from bot.database import Bell, engine, free_dead_claims
from bot.deliver import Channel, Deliverer
from bot.inbox import Acceptor
from bot.language import Detector
from bot.messages import NotSent
from bot.migrations.run import migrate
from bot.polling import poll
from bot.respond import Responder, watch_claims
from bot.settings import Settings
from bot.understanding import Understanding
from bot.web import Web
from bot.webhooks import Webhooks

logger = logging.getLogger(__name__)

_IDLE = 30.0  # seconds: a connection that sends no whole request for so long is closed


@contextlib.asynccontextmanager
async def running(settings: Settings, database_url: str) -> AsyncIterator[Web]:
    """All workers at work on `database_url`; on the way out none is torn in the middle of a message."""
    database = engine(database_url)
    bell = Bell(database_url)
    detector = Detector.load(language_model(settings.folder))
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(database.dispose)
        await migrate(database)
        understanding = await stack.enter_async_context(Understanding(settings.nlu_url))

        async def fresh_start() -> None:
            await free_dead_claims(database)

        acceptor = Acceptor(database)
        telegram = await stack.enter_async_context(Telegram(settings.telegram)) if settings.telegram else None
        whatsapp = await stack.enter_async_context(WhatsApp(settings.whatsapp)) if settings.whatsapp else None
        channels: dict[str, Channel] = {WEBCHAT: Webchat()}
        channels |= {TELEGRAM: telegram} if telegram else {}
        channels |= {WHATSAPP: whatsapp} if whatsapp else {}
        works: list[Callable[[], Awaitable[None]]] = [
            lambda: bell.listen(fresh_start),
            lambda: watch_claims(database),
            Deliverer(database, bell, channels).run,
            Responder(database, bell, Answerer(understanding, detector, Known(database))).run,
        ]
        coaches = coaching(settings, database_url, database, bell, understanding, telegram, whatsapp)
        works += coaches.works
        if telegram and settings.telegram and not settings.telegram.webhook:
            works.append(lambda: poll(telegram, acceptor, bell))
        elif telegram:
            works.append(lambda: _announce_webhook(telegram))
        for work in works:
            stack.push_async_callback(_stop, asyncio.create_task(_for_ever(work)))
        visitor = Visitor(settings.secret, settings.secure_cookies)
        webhooks = Webhooks(database, acceptor, telegram, whatsapp)
        routes = [*webhooks.routes(), *coaches.desk.routes()]
        yield Web(database, bell, understanding, acceptor, visitor, routes)


async def serve(settings: Settings, database_url: str, host: str, port: int) -> None:
    """Answer on `host`:`port` until SIGINT or SIGTERM. Raises OSError when the port is taken."""
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    async with running(settings, database_url) as site:
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


async def _for_ever(work: Callable[[], Awaitable[None]]) -> None:
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
