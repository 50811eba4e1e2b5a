"""Sessions at the desk over real HTTP: when they end, and that nobody can have or plant another's."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from yarl import URL

from bot.coach import people, sessions
from bot.coach.sessions import COOKIE
from tests.coach.desk_calls import ACTIONS, READING
from tests.coach.world import PASSWORD, World, a_case

# Sessions


async def test_without_a_session_there_is_nothing(world: World) -> None:
    _, key = await a_case(world)
    async with world.browser("Fatima") as nobody:
        for path in (*READING, f"cases/{key}", f"cases/{key}/attachments/1", f"cards/cost?case={key}"):
            assert (await nobody.get(path, status=401))["error"]["code"] == "logged_out"
        for action in ACTIONS:
            assert (await nobody.act(key, action, status=401))["code"] == "logged_out"
        for page in ("/desk", "/desk/overview", "/desk/overview.csv"):
            async with nobody.session.get(world.url + page, allow_redirects=False) as answer:
                assert (answer.status, answer.headers["Location"]) == (303, "/desk/login")


@pytest.mark.parametrize(
    "happened",
    [
        "UPDATE desk_session SET expires_at = now() - interval '1 second'",
        "UPDATE desk_session SET seen_at = now() - interval '12 hours 1 second'",
        "UPDATE desk_session SET revoked_at = now()",
        "UPDATE coach SET active = false WHERE name = 'Fatima'",
    ],
)
async def test_a_session_that_is_over_is_401(world: World, happened: str) -> None:
    _, key = await a_case(world)
    async with world.at_work("Fatima") as [fatima]:
        await world.rows(happened)
        try:
            await fatima.get("me", status=401)
            assert (await fatima.act(key, "take", status=401))["code"] == "logged_out"
        finally:
            await world.rows("UPDATE coach SET active = true")


async def test_an_open_stream_ends_with_its_session(world: World) -> None:
    async with world.at_work("Fatima") as [fatima], fatima.session.get(f"{world.url}/desk/api/events") as stream:
        await stream.content.readline()
        await world.rows("UPDATE desk_session SET revoked_at = now()")
        async with asyncio.timeout(20):
            while not stream.content.at_eof():
                await stream.content.readline()


@pytest.mark.parametrize("cookie", ["", "x", "a" * 5000, "%00", "' OR 1=1 --", "é"])
async def test_no_cookie_can_be_made_up(world: World, cookie: str) -> None:
    headers = {"Cookie": f"{COOKIE}={cookie}"}
    async with aiohttp.ClientSession(headers=headers) as session, session.get(f"{world.url}/desk/api/me") as answer:
        assert answer.status == 401


async def test_a_session_cannot_be_fixed_from_outside(world: World) -> None:
    async with world.browser("Fatima") as fatima:
        planted = "planted-by-somebody-else-0123456789abcdef"
        fatima.session.cookie_jar.update_cookies({COOKIE: planted}, URL(f"{world.url}/desk/login"))
        assert await fatima.log_in() == 303
        assert fatima.token != planted
        first = fatima.token
        assert await fatima.log_in() == 303  # again: a new one, and the old one is worth nothing
        assert fatima.token != first
        for old in (planted, first):
            assert await sessions.find(world.database, old) is None


async def test_of_two_cookies_none_counts(world: World) -> None:
    """Another program on a neighbouring name can set a cookie for ours; which of two is meant cannot be known."""
    async with world.at_work("Fatima", "Kees") as [fatima, kees]:
        for pair in (f"{fatima.token}; {COOKIE}={kees.token}", f"x; {COOKIE}={fatima.token}"):
            headers = {"Cookie": f"{COOKIE}={pair}"}
            async with (
                aiohttp.ClientSession(headers=headers) as tossed,
                tossed.get(f"{world.url}/desk/api/me") as answer,
            ):
                assert answer.status == 401


async def test_the_cookie_is_well_kept(world: World) -> None:
    async with world.browser("Fatima") as fatima:
        form = {"email": fatima.email, "password": PASSWORD}
        async with fatima.session.post(f"{world.url}/desk/login", data=form, allow_redirects=False) as answer:
            cookie = answer.cookies[COOKIE]
    assert cookie["httponly"] and cookie["samesite"] == "Strict" and cookie["path"] == "/desk"
    assert len(cookie.value) >= 43


async def test_every_refused_login_reads_the_same(world: World) -> None:
    async def refusal(email: str, password: str) -> tuple[int, str]:
        async with aiohttp.ClientSession() as session:
            form = {"email": email, "password": password}
            async with session.post(f"{world.url}/desk/login", data=form, allow_redirects=False) as answer:
                return answer.status, (await answer.text()).replace(email, "EMAIL")

    known = world.coaches["Kees"].email
    unknown = await refusal("nobody@example.org", "wrong")
    try:
        answers = [await refusal(known, "wrong") for _ in range(5)]
        locked = await refusal(known, PASSWORD)
    finally:
        await world.rows("UPDATE coach SET failures = 0, locked_until = NULL")
    assert {unknown, *answers, locked} == {unknown} and unknown[0] == 403


async def test_an_invitation_is_used_once_in_the_browser(world: World) -> None:
    token = await people.invite(world.database, world.coaches["Eva"].email)
    url = f"{world.url}/desk/welcome/{token}"
    async with world.browser("Eva") as eva:
        for _ in range(2):  # looking does not use it
            async with eva.session.get(url) as page:
                assert page.status == 200 and "Welkom, Eva" in await page.text()
        async with eva.session.post(url, data={"password": "kort"}, allow_redirects=False) as page:
            assert page.status == 422 and "minstens 12 tekens" in await page.text()
        async with eva.session.post(url, data={"password": PASSWORD}, allow_redirects=False) as page:
            assert (page.status, page.headers["Location"]) == (303, "/desk")
        assert (await eva.get("me"))["name"] == "Eva"
        for method in ("GET", "POST"):
            async with eva.session.request(method, url, data={"password": "x" * 20 + "abcde"}) as page:
                assert page.status == 404 and "werkt niet meer" in await page.text()
