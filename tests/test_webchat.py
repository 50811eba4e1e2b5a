"""The web chat over real HTTP: bad input, cookies, floods, two tabs, the event stream."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator

import aiohttp
import pytest
from sqlalchemy import text as sql

from bot.channels.webchat import COOKIE
from bot.commands.accounts import count
from tests.conftest import Site
from tests.visitor import Visitor

JSON = {"Content-Type": "application/json"}


def body(**changes: object) -> bytes:
    return json.dumps({"id": uuid.uuid4().hex, "text": "hallo", **changes}).encode()


BAD = {
    "nothing at all": (b"", JSON, 400, "not_json"),
    "half a JSON": (b'{"id": "1", "te', JSON, 400, "not_json"),
    "not UTF-8": (b'{"id": "1", "text": "\xff\xfe"}', JSON, 400, "not_json"),
    "deep nesting": (b"[" * 60_000, JSON, 400, "not_json"),
    "a list": (b"[1, 2]", JSON, 422, "wrong_shape"),
    "no id": (b'{"text": "hallo"}', JSON, 422, "wrong_shape"),
    "an id of another kind": (body(id=7), JSON, 422, "wrong_shape"),
    "an endless id": (body(id="x" * 65), JSON, 422, "wrong_shape"),
    "text of another kind": (body(text={"a": 1}), JSON, 422, "wrong_shape"),
    "payload of another kind": (body(payload=["/cost"]), JSON, 422, "wrong_shape"),
    "form instead of JSON": (b"text=hallo", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "wrong_type"),
    "no content type": (body(), {"Content-Type": ""}, 415, "wrong_type"),
    "empty": (body(text=""), JSON, 422, "empty"),
    "white space": (body(text=" \n\t "), JSON, 422, "empty"),
    "only direction overrides": (body(text="\u202e\u2066\u200f"), JSON, 422, "empty"),
    "only control characters": (body(text="\x00\x01\x1b"), JSON, 422, "empty"),
    "4,097 characters": (body(text="a" * 4097), JSON, 422, "too_long"),
    "70 kB": (body(text="a" * 70_000), JSON, 413, "too_big"),
    "10 MB": (body(text="a" * 10_000_000), JSON, 413, "too_big"),
    "another website": (body(), {**JSON, "Origin": "https://example.org"}, 403, "wrong_origin"),
    "a tampered cookie": (body(), {**JSON, "Cookie": f"{COOKIE}=made.up"}, 401, "unknown_conversation"),
}


@pytest.mark.parametrize("name", BAD)
async def test_bad_input_gets_a_reason(shared_site: Site, name: str) -> None:
    content, headers, status, code = BAD[name]
    async with (
        aiohttp.ClientSession(skip_auto_headers=["Content-Type"]) as session,
        session.post(f"{shared_site.url}/api/webchat/messages?language=tr", data=content, headers=headers) as answer,
    ):
        problem = (await answer.json())["error"]
        assert (answer.status, problem["code"]) == (status, code)
        assert len(problem["message"]) > 10
    assert (await count(shared_site.database)).problems == ()


@pytest.mark.parametrize(
    "path", ["/api/webchat/history?after=-1", "/api/webchat/events?after=x", "/nowhere", "/static/../web.py"]
)
async def test_bad_addresses_are_4xx(shared_site: Site, path: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(shared_site.url + path) as answer:
        assert 400 <= answer.status < 500
        assert (await answer.json())["error"]["message"]


async def test_a_body_of_unknown_length_is_cut_off(shared_site: Site) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"a" * 100_000

    async with aiohttp.ClientSession() as session:
        try:
            async with session.post(shared_site.url + "/api/webchat/messages", data=endless(), headers=JSON) as answer:
                assert answer.status == 413
        except aiohttp.ClientConnectionError:
            pass  # closed on us while we were still sending


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "'; DROP TABLE inbox; --",
        "{{7*7}} ${x} %s",
        "😀",
        "؟؟؟",
        "/restart",
        "a" * 4096,
        "\U0001f468\u200d\U0001f469",
    ],
)
async def test_odd_but_honest_input_is_answered(shared_site: Site, text: str) -> None:
    async with Visitor(shared_site.url) as visitor:
        replies = await visitor.say(text)
        assert replies[0]["text"]
        lines = (await visitor.history())["lines"]
        assert lines[0]["text"] == text
    assert (await count(shared_site.database)).problems == ()


@pytest.mark.parametrize(
    "payload", ["/nonsense", "/cost{broken", '/cost{"planet": "mars"}', "language:xx", "x", "/cost[1]"]
)
async def test_forged_buttons_do_no_harm(shared_site: Site, payload: str) -> None:
    async with Visitor(shared_site.url) as visitor:
        replies = await visitor.say("knop", payload)
        assert replies[0]["text"]
    assert not [outcome for outcome in (await count(shared_site.database)).inbox if outcome.startswith("dead")]


async def test_the_same_message_twice_is_answered_once(shared_site: Site) -> None:
    async with Visitor(shared_site.url) as visitor:
        await visitor.say("hallo")
        key = uuid.uuid4().hex
        assert [await visitor.post("wat kost het", key=key) for _ in range(3)] == [202] * 3
        await asyncio.sleep(1)
        lines = (await visitor.history())["lines"]
        assert sum(line["id"] == key for line in lines) == 1


def _other(signature: str) -> str:
    """Its first letter changed (the last one carries bits that mean nothing)."""
    return ("A" if signature[0] != "A" else "B") + signature[1:]


async def test_nobody_reads_another_conversation(shared_site: Site) -> None:
    async with Visitor(shared_site.url) as anna, Visitor(shared_site.url) as bilal:
        await anna.say("mijn geheim")
        await bilal.say("hallo")
        assert not any("geheim" in line["text"] for line in (await bilal.history())["lines"])
        [cookie] = [c for c in anna.session.cookie_jar if c.key == COOKIE]
        address, _, signature = cookie.value.rpartition(".")
        for forged in (address, f"{address}.{_other(signature)}", f"x{cookie.value}", cookie.value.swapcase()):
            async with aiohttp.ClientSession(headers={"Cookie": f"{COOKIE}={forged}"}) as thief:
                for path in ("history", "events"):
                    async with thief.get(f"{shared_site.url}/api/webchat/{path}") as answer:
                        assert answer.status == 401, forged
        assert cookie["httponly"] and cookie["samesite"] == "Strict"


async def test_thirty_messages_in_a_second(site: Site) -> None:
    async with Visitor(site.url) as flood, Visitor(site.url) as other:
        await flood.say("hallo")
        keys = [uuid.uuid4().hex for _ in range(30)]
        statuses = await asyncio.gather(*(flood.post(f"vraag {n}", key=key) for n, key in enumerate(keys)))
        assert set(statuses) == {202}
        assert await other.say("wat kost het", seconds=5)  # not held up
        async with asyncio.timeout(60):
            while (await flood.history())["open"]:
                await asyncio.sleep(0.5)
        lines = (await flood.history())["lines"]
        answered = [line["id"] for line in lines if line["author"] == "person"]
        assert sorted(answered[1:]) == sorted(keys)
        notices = [line for line in lines if "één voor één" in line["text"]]
        assert len(notices) == 1
    books = await count(site.database)
    assert books.problems == () and "open" not in books.inbox


async def test_two_tabs_see_the_same_talk(shared_site: Site) -> None:
    async with Visitor(shared_site.url) as visitor:
        await visitor.say("hallo")

        async def tab() -> list[str]:
            heard = []
            async for line in visitor.events():
                heard.append(line["text"])
                if len(heard) == 6:
                    break
            return heard

        tabs = [asyncio.create_task(tab()) for _ in range(2)]
        await asyncio.gather(visitor.post("wat kost het"), visitor.post("hoe lang duurt het"))
        one, two = await asyncio.wait_for(asyncio.gather(*tabs), 20)
        assert one == two


async def test_a_stream_goes_on_where_it_broke_off(shared_site: Site) -> None:
    async with Visitor(shared_site.url) as visitor:
        await visitor.say("hallo")
        await visitor.say("wat kost het")
        everything = (await visitor.history())["lines"]
        rest = []
        async with asyncio.timeout(10):
            async for line in visitor.events(after=2):
                rest.append(line)
                if line["position"] == everything[-1]["position"]:
                    break
        assert rest == everything[2:]


async def test_no_conversation_no_stream(shared_site: Site) -> None:
    async with aiohttp.ClientSession() as session, session.get(shared_site.url + "/api/webchat/events") as answer:
        assert answer.status == 204


async def test_pages_are_locked_down(shared_site: Site) -> None:
    async with aiohttp.ClientSession() as session, session.get(shared_site.url + "/chat") as page:
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert COOKIE in page.cookies
        text = await page.text()
        assert "http://" not in text and "https://" not in text  # no third party


async def test_forgetting_leaves_nothing_to_read(shared_site: Site) -> None:
    async with Visitor(shared_site.url) as visitor:
        await visitor.say("mijn geheim is groot")
        await visitor.say("Wis alles nu", "forget:yes")
        said = [line["text"] for line in (await visitor.history())["lines"]]
        assert len(said) == 2 and "geheim" not in " ".join(said)
        async with shared_site.database.connect() as link:
            left = await link.execute(sql("SELECT count(*) FROM transcript WHERE text LIKE '%geheim is groot%'"))
            assert left.scalar() == 0
    assert (await count(shared_site.database)).problems == ()
