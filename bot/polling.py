"""Fetching from Telegram: the way in when Telegram cannot call us. One process at a time does it.

getUpdates -> rows in the inbox -> commit -> only then the next offset, which is what tells Telegram that we have
them. A crash anywhere fetches the same updates again, and the inbox knows them. python-telegram-bot's own Updater
confirms first and handles later; it loses messages (docs/decisions/0006).
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.database import TROUBLE, Bell
from bot.doorman import Doorman
from bot.inbox import Acceptor
from bot.messages import Failure, NotSent

if TYPE_CHECKING:  # its library takes a second to load; who has no Telegram need not wait
    from bot.channels.telegram import Telegram

logger = logging.getLogger(__name__)

_PAUSE_SECONDS = 1.0


async def poll(channel: Telegram, acceptor: Acceptor, bell: Bell) -> None:
    """Fetch until cancelled."""
    door = Doorman(acceptor, channel)
    offset: int | None = None
    ready = False
    while True:
        if not await _leads(bell):
            ready, offset = False, None
            await asyncio.sleep(_PAUSE_SECONDS)
            continue
        try:
            if not ready:
                await channel.listen_by_polling()
                ready = True
            incoming, following = await channel.fetch(offset)
            await door.accept(incoming)
            if incoming and following == offset:
                await asyncio.sleep(_PAUSE_SECONDS)  # only updates without a number, which cannot be confirmed
            offset = following
        except NotSent as problem:
            if problem.failure is Failure.ALARM:
                logger.error("Telegram does not take our token: %s", problem)
            ready = False  # a webhook may have been set since
            await asyncio.sleep(max(problem.seconds, _PAUSE_SECONDS))
        except TROUBLE as error:
            logger.warning("updates wait, the inbox is out of reach: %s", type(error).__name__)
            await asyncio.sleep(_PAUSE_SECONDS)


async def _leads(bell: Bell) -> bool:
    try:
        return await bell.leads("telegram updates")
    except TROUBLE:
        return False
