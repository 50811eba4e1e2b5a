"""What must not be possible at the desk, tried over real HTTP."""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import Any

import aiohttp
import pytest

from bot.coach.sessions import COOKIE
from bot.messages import Attachment
from tests.coach.desk_calls import ACTIONS
from tests.coach.world import PICTURE, World, a_case, send, told

# Whose case it is


async def test_another_teams_case_is_not_there(world: World) -> None:
    person, key = await a_case(world)
    position = await person.says("📎", Attachment("m", "a.png", "image/png"))
    world.platform.files["m"] = ("image/png", PICTURE)
    async with world.at_work("Dilek") as [dilek]:
        for path in ("", "?after=1", f"/attachments/{position}"):
            await dilek.get(f"cases/{key}{path}", status=404)
        await dilek.get(f"cards/cost?case={key}", status=404)
        for action in ACTIONS:
            assert (await dilek.act(key, action, status=404))["code"] == "not_found", action
    [row] = await world.rows("SELECT state, coach_id FROM referral WHERE key = :key", key=key)
    assert (row.state, row.coach_id) == ("waiting", None)
    logged = await world.rows("SELECT what FROM audit a JOIN referral r ON r.id = referral_id WHERE key = :k", k=key)
    assert [line.what for line in logged] == ["requested"]


async def test_a_case_that_was_passed_on_and_closed_is_still_seen_by_its_coach_only(world: World) -> None:
    _, key = await a_case(world)
    async with world.at_work("Fatima", "Dilek") as [fatima, dilek]:
        await fatima.act(key, "take")
        await dilek.get(f"cases/{key}", status=404)
        await fatima.act(key, "pass_on", coach=world.coaches["Dilek"].id)
        await dilek.get(f"cases/{key}")
        await dilek.act(key, "give_back")
        await dilek.get(f"cases/{key}", status=404)


@pytest.mark.parametrize("guess", ["1", "0", "AAAAAAAAAAAA", "..", "%2e%2e", "%00", "a" * 500, "é", "'--", "%ff", "me"])
async def test_no_key_can_be_guessed(world: World, guess: str) -> None:
    await a_case(world)
    async with world.at_work("Bea") as [bea]:
        for path in (f"/desk/api/cases/{guess}", f"/desk/api/cases/{guess}/attachments/1"):
            status, _ = await send(world, bea, path, method="GET")
            assert status in (400, 404)
        status, _ = await send(world, bea, f"/desk/api/cases/{guess}/take")
        assert status in (400, 404)


async def test_keys_are_long_and_random(world: World) -> None:
    keys = {(await a_case(world))[1] for _ in range(20)}
    assert len(keys) == 20 and all(re.fullmatch(r"[\w-]{12}", key) for key in keys)  # 72 random bits


# Forged requests


async def test_changes_need_the_token_of_the_session(world: World) -> None:
    _, key = await a_case(world)
    async with world.at_work("Fatima", "Kees") as [fatima, kees]:
        path = f"/desk/api/cases/{key}/take"
        for token in ("", "x", kees.csrf, fatima.csrf[:-1], fatima.csrf.upper() + "!", "é"):
            status, text = await send(world, fatima, path, X_CSRF_Token=token)
            assert (status, json.loads(text)["error"]["code"]) == (403, "wrong_token"), token
        old = fatima.csrf
        await fatima.log_in()
        assert fatima.csrf != old
        assert (await send(world, fatima, path, X_CSRF_Token=old))[0] == 403
        assert (await send(world, fatima, path))[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://example.org"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1.example.org"},
        {"Origin": "http://127.0.0.1"},  # another port
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},  # another program of ours on a neighbouring name
    ],
)
async def test_other_websites_are_refused(world: World, headers: dict[str, str]) -> None:
    _, key = await a_case(world)
    async with world.at_work("Fatima") as [fatima]:
        status, text = await send(world, fatima, f"/desk/api/cases/{key}/take", **headers)
        assert (status, json.loads(text)["error"]["code"]) == (403, "other_site")
        form = {**headers, "Content_Type": "application/x-www-form-urlencoded"}
        for path in ("/desk/login", "/desk/welcome/x"):
            assert (await send(world, fatima, path, b"email=a&password=b", **form))[0] == 403
        same = {"Origin": world.url, "Sec_Fetch_Site": "same-origin"}
        assert (await send(world, fatima, f"/desk/api/cases/{key}/take", **same))[0] == 200


async def test_logging_out_needs_the_token_too(world: World) -> None:
    async with world.at_work("Fatima") as [fatima]:
        form = {"Content_Type": "application/x-www-form-urlencoded"}
        assert (await send(world, fatima, "/desk/logout", b"csrf=forged", **form))[0] == 403
        await fatima.get("me")
        token = fatima.token
        status, _ = await send(world, fatima, "/desk/logout", f"csrf={fatima.csrf}".encode(), **form)
        assert status == 303
        await fatima.get("me", status=401)
        kept = {"Cookie": f"{COOKIE}={token}"}  # by somebody who saw it before
        async with aiohttp.ClientSession(headers=kept) as thief, thief.get(f"{world.url}/desk/api/me") as answer:
            assert answer.status == 401


# Roles


async def test_an_editor_sees_figures_and_nobody(world: World) -> None:
    _, key = await a_case(world, first_name="Geheimpje")
    async with world.at_work("Eva") as [eva]:
        me = await eva.get("me")
        assert (me["role"], me["colleagues"]) == ("editor", [])
        for path in ("queue", f"cases/{key}", "cards?q=x", f"cards/cost?case={key}", "events"):
            assert (await eva.get(path, status=403))["error"]["code"] == "no_cases"
        assert (await eva.get(f"cases/{key}/attachments/1", status=403))["error"]["code"] == "no_cases"
        for action in ACTIONS:
            assert (await eva.act(key, action, status=403))["code"] == "no_cases"
        assert "Geheimpje" not in str(await eva.get("overview"))
        async with eva.session.get(f"{world.url}/desk", allow_redirects=False) as page:
            assert (page.status, page.headers["Location"]) == (303, "/desk/overview")


async def test_a_body_cannot_set_more_than_the_action(world: World) -> None:
    _, key = await a_case(world)
    more: dict[str, Any] = {
        "coach": world.coaches["Dilek"].id,
        "coach_id": 1,
        "state": "closed",
        "team": 1,
        "author": "person",
    }
    more |= {"by": "Bea", "role": "admin", "key": "other", "language": "ar", "id": 1, "consent_at": None}
    async with world.at_work("Fatima") as [fatima]:
        await fatima.act(key, "take", **more)
        await fatima.act(key, "write", **{**more, "text": "Hoi"})
        await fatima.act(key, "note", **{**more, "text": "let op"})
        found = await fatima.get(f"cases/{key}")
    line = found["lines"][-1]
    assert (line["author"], line["coach"], line["text"], line["language"]) == ("coach", "Fatima", "Hoi", "nl")
    assert found["notes"][0]["coach"] == "Fatima"
    assert (found["case"]["coach"]["name"], found["case"]["state"], found["case"]["team"]["name"]) == (
        "Fatima",
        "taken",
        "West",
    )
    assert world.coaches["Fatima"].role == "coach"


# Streams


async def test_a_flood_of_screens_is_stopped(world: World) -> None:
    async with world.at_work("Kees") as [kees]:
        streams = [await kees.session.get(f"{world.url}/desk/api/events") for _ in range(13)]
        try:
            assert [stream.status for stream in streams] == [200] * 12 + [409]
        finally:
            for stream in streams:
                stream.close()


async def test_a_lost_listening_connection_closes_the_streams(world: World) -> None:
    async with world.at_work("Fatima") as [fatima]:
        async with fatima.session.get(f"{world.url}/desk/api/events") as stream:
            await stream.content.readline()
            await world.rows(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE 'LISTEN%'"
                " AND datname = current_database()"
            )
            async with asyncio.timeout(20):
                while not stream.content.at_eof():
                    await stream.content.readline()
        late = time.monotonic() + 10
        while time.monotonic() < late:  # and it comes back
            async with fatima.events() as heard:
                _, key = await a_case(world)
                try:
                    await asyncio.wait_for(told(heard, "case", key=key), 2)
                    return
                except TimeoutError:
                    continue
        raise AssertionError("nothing was heard any more")
