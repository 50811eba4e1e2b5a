"""A desk for every file of tests, with coaches and people around it."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator

import pytest

from bot.coach import timers
from tests.coach.world import World, opened
from tests.conftest import fresh_database


@pytest.fixture(scope="module")
async def world(server: str) -> AsyncIterator[World]:
    """One desk for a whole file of tests that do not disturb each other."""
    async with fresh_database(server) as url, opened(url) as found:
        yield found


@pytest.fixture
def never_night(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reminders go out at any hour, as tests run at any hour."""
    monkeypatch.setattr(timers, "MORNING", datetime.time.min)
    monkeypatch.setattr(timers, "NIGHT", datetime.time.max)
