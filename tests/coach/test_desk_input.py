"""What people and coaches can send to the desk without doing harm: scripts, files, shapes and sizes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.coach import attachments, people, sessions
from bot.coach.attachments import MOST_BYTES
from bot.coach.door import Problem
from bot.coach.people import Newcomer
from bot.coach.sessions import COOKIE
from bot.messages import Attachment
from tests.coach.desk_calls import ACTIONS, SCRIPT
from tests.coach.world import World, a_case, send

# What people write


async def test_stored_scripts_are_only_text(world: World) -> None:
    person, key = await a_case(world, first_name=SCRIPT, area=SCRIPT, reach=SCRIPT)
    async with world.at_work("Bea") as [bea]:
        await bea.act(key, "take")
        await person.says(SCRIPT)
        await bea.act(key, "write", text=SCRIPT)
        await bea.act(key, "note", text=SCRIPT)
        await bea.act(key, "quick", id="hello", values={"name": SCRIPT, "coach": "{name.__class__}"})
        for path in (f"cases/{key}", "queue"):
            async with bea.session.get(f"{world.url}/desk/api/{path}") as answer:
                assert answer.content_type == "application/json"
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                text = await answer.text()
        found = await bea.get(f"cases/{key}")
        assert found["case"]["first_name"] == SCRIPT and found["notes"][0]["text"] == SCRIPT
        said = [line["text"] for line in found["lines"]]
        assert said.count(SCRIPT) == 2 and f"Hoi {SCRIPT}, ik ben {{name.__class__}}." in said[-1]
        assert json.loads(text)


async def test_names_cannot_break_out_of_a_page(world: World) -> None:
    name = f"\"'><img src=x onerror=alert(1)>{SCRIPT}"
    _, token = await people.add(world.database, Newcomer(name, f"{SCRIPT}@example.org", team="Nergens"))
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{world.url}/desk/welcome/{token}") as page:
            text = await page.text()
        async with session.post(f"{world.url}/desk/login", data={"email": f'"{SCRIPT}', "password": "x"}) as page:
            text += await page.text()
    assert SCRIPT not in text and "<img src=x" not in text and "&lt;script&gt;" in text


async def test_pages_are_locked_down(world: World) -> None:
    async with world.at_work("Fatima") as [fatima]:
        for path in ("/desk", "/desk/overview", "/desk/login", "/desk/welcome/x", "/desk/api/me"):
            async with fatima.session.get(world.url + path, allow_redirects=False) as page:
                policy = page.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy and "unsafe" not in policy and "form-action 'self'" in policy
                assert "frame-ancestors 'none'" in policy
                assert page.headers["Cache-Control"] == "no-store"
                assert page.headers["Referrer-Policy"] == "same-origin"
                text = await page.text()
                assert "http://" not in text and "https://" not in text


# Files


@pytest.mark.parametrize(
    ("name", "mime", "shown"),
    [
        ("foto.jpg", "image/jpeg", "foto.jpg"),
        ("../../etc/passwd", "text/plain", "passwd.txt"),
        ("..\\..\\windows\\system.ini", "text/plain", "system.txt"),
        ("photo.html", "image/png", "photo.png"),
        ("virus.exe.pdf", "application/pdf", "virus.exe.pdf"),
        ("virus.pdf.exe", "application/pdf", "virus.pdf.pdf"),
        ('a"; filename="b.html', "image/png", "a__ filename=_b.png"),
        ("a\r\nSet-Cookie: x=1", "image/png", "a Set-Cookie_ x=1.png"),
        ("\u202egnp.exe", "image/png", "gnp.png"),  # reads as "exe.png" with the override
        ("diploma العربية.pdf", "application/pdf", "diploma العربية.pdf"),
        (".htaccess", "text/plain", "htaccess.txt"),
        ("", "audio/ogg", "bestand.ogg"),
        ("...", "audio/ogg", "bestand.ogg"),
        ("a" * 500 + ".png", "image/png", "a" * 80 + ".png"),
        ("CON", "image/png", "CON.png"),
    ],
)
def test_names_of_files(name: str, mime: str, shown: str) -> None:
    assert attachments.file_name(name, mime) == shown
    disposition = attachments.headers(mime, name)["Content-Disposition"]
    assert disposition.startswith("attachment; ") and disposition.isascii()
    assert not set("\r\n") & set(disposition) and disposition.count('"') == 2


@pytest.mark.parametrize(
    "mime", ["text/html", "image/svg+xml", "application/javascript", "application/x-msdownload", "text/xml", "", "x"]
)
def test_kinds_that_do_not_come_through(mime: str) -> None:
    with pytest.raises(Problem):
        attachments.mime_of(mime)


async def test_files_that_do_not_come_through(world: World) -> None:
    person, key = await a_case(world)
    files = {
        "html": ("image/png", ("text/html", b"<script>")),  # the platform knows better than the person
        "big": ("image/png", ("image/png", b"x" * (MOST_BYTES + 1))),
        "svg": ("image/svg+xml", ("image/svg+xml", b"<svg onload=alert(1)>")),
    }
    async with world.at_work("Fatima") as [fatima]:
        for media_id, (mime, answer) in files.items():
            world.platform.files[media_id] = answer
            position = await person.says("📎", Attachment(media_id, "a.png", mime))
            problem = (await fatima.get(f"cases/{key}/attachments/{position}", status=422))["error"]
            assert problem["code"] == ("file_too_big" if media_id == "big" else "wrong_kind")
        position = await person.says("📎", Attachment("huge", "a.png", "image/png", MOST_BYTES + 1))
        await fatima.get(f"cases/{key}/attachments/{position}", status=422)  # not even fetched
        position = await person.says("📎", Attachment("gone", "a.png", "image/png"))
        await fatima.get(f"cases/{key}/attachments/{position}", status=404)
        world.platform.away = True
        try:
            await fatima.get(f"cases/{key}/attachments/{position}", status=503)
        finally:
            world.platform.away = False
        for wrong in ("0", "-1", "x", "99999999999", "..%2f..%2fsettings.py", "1.png", "%00"):
            status, _ = await send(world, fatima, f"/desk/api/cases/{key}/attachments/{wrong}", method="GET")
            assert status == 404, wrong


# Shapes and sizes


async def test_bodies_that_are_too_big(world: World) -> None:
    _, key = await a_case(world)
    async with world.at_work("Fatima") as [fatima]:
        await fatima.act(key, "take")
        for body in (b'{"text": "' + b"a" * 70_000 + b'"}', b"x" * 5_000_000):
            assert (await send(world, fatima, f"/desk/api/cases/{key}/note", body))[0] == 413
        form = {"Content_Type": "application/x-www-form-urlencoded"}
        assert (await send(world, fatima, "/desk/login", b"email=" + b"a" * 9_000, **form))[0] == 413
        assert (await fatima.act(key, "write", status=422, text="a" * 4097))["code"] == "too_long"
        await fatima.act(key, "write", text="😀" * 4096)

        async def endless() -> AsyncIterator[bytes]:
            for _ in range(1000):
                yield b"a" * 100_000

        headers = {"X-CSRF-Token": fatima.csrf, "Content-Type": "application/json"}
        url = f"{world.url}/desk/api/cases/{key}/note"
        try:
            async with fatima.session.post(url, data=endless(), headers=headers) as answer:
                assert answer.status == 413
        except aiohttp.ClientConnectionError:
            pass  # closed on us while we were still sending


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 400),
        (b"\xff", 400),
        (b"[" * 60_000, 400),
        (b"[]", 422),
        (b"null", 422),
        (b'"text"', 422),
        (b"{}", 422),
        (b'{"text": null}', 422),
        (b'{"text": ["a"]}', 422),
        (b'{"text": " \\u200b\\u0000 "}', 422),
        (b'{"text": "\\ud800"}', 422),
        (b'{"text": "\\u0000ok\\ud800"}', 200),  # what cannot be stored is left out
    ],
)
async def test_shapes_of_a_message(world: World, body: bytes, status: int) -> None:
    _, key = await a_case(world)
    async with world.at_work("Fatima") as [fatima]:
        await fatima.act(key, "take")
        got, text = await send(world, fatima, f"/desk/api/cases/{key}/write", body)
        assert got == status, text
        assert (await send(world, fatima, f"/desk/api/cases/{key}/write", b"text=x", Content_Type="text/plain"))[
            0
        ] == 422


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/desk/api/cases/KEY/take"),
        ("PUT", "/desk/api/cases/KEY/take"),
        ("DELETE", "/desk/api/cases/KEY"),
        ("POST", "/desk/api/cases/KEY"),
        ("POST", "/desk/api/me"),
        ("POST", "/desk/api/queue"),
        ("HEAD", "/desk/api/events"),
        ("GET", "/desk/logout"),
        ("POST", "/desk"),
        ("TRACE", "/desk/login"),
    ],
)
async def test_wrong_methods(world: World, method: str, path: str) -> None:
    _, key = await a_case(world)
    async with world.at_work("Fatima") as [fatima]:
        assert (await send(world, fatima, path.replace("KEY", key), method=method))[0] == 405


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = ("text", "topic", "id", "values", "coach", "team", "outcome", "until", "position")
_BODIES = st.dictionaries(st.sampled_from(_FIELDS), _JSON, max_size=4) | _JSON


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(action=st.sampled_from(ACTIONS), body=_BODIES)
async def test_no_json_breaks_an_action(world: World, action: str, body: Any) -> None:
    _, key = await a_case(world)
    async with world.browser("Bea") as bea:
        token = await sessions.start(world.database, world.coaches["Bea"].id, None)
        bea.csrf = sessions.csrf_of(token)
        headers = {"Cookie": f"{COOKIE}={token}"}
        await send(world, bea, f"/desk/api/cases/{key}/take", **headers)
        status, text = await send(world, bea, f"/desk/api/cases/{key}/{action}", body, **headers)
        assert status < 500, (action, body, text)
        if status >= 400:
            assert json.loads(text)["error"]["message"]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    path=st.sampled_from(("queue", "cards", "overview", "cases/KEY", "cards/cost", "cards/{}", "cases/{}")),
    name=st.sampled_from(("view", "q", "days", "after", "case", "x")),
    value=st.text(max_size=20),
)
async def test_no_address_breaks_reading(world: World, path: str, name: str, value: str) -> None:
    _, key = await a_case(world)
    token = await sessions.start(world.database, world.coaches["Bea"].id, None)
    filled = path.replace("KEY", key).replace("{}", value.replace("/", "").replace(".", "") or "x")
    async with aiohttp.ClientSession(headers={"Cookie": f"{COOKIE}={token}"}) as session:
        params = {name: value.encode("utf-8", "replace").decode()}
        async with session.get(f"{world.url}/desk/api/{filled}", params=params) as answer:
            assert answer.status < 500, await answer.text()
