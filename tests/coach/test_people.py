"""Coaches, invitations, passwords and sessions, on a real database."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.coach import passwords, people, sessions
from bot.coach.passwords import WeakPassword
from bot.coach.people import InvitationOver, Newcomer
from bot.coach.sessions import LoginRefused
from tests.coach.world import PASSWORD

EMAIL = "nora@example.org"


async def invitation(database: AsyncEngine, email: str = EMAIL) -> str:
    return (await people.add(database, Newcomer("Nora", email)))[1]


async def nora(database: AsyncEngine) -> int:
    return await people.accept(database, await invitation(database), PASSWORD)


async def change(database: AsyncEngine, statement: str, **values: object) -> None:
    async with database.begin() as link:
        await link.execute(sql(statement), values)


# Invitations


async def test_an_invitation_works_once(database: AsyncEngine) -> None:
    token = await invitation(database)
    assert (await people.invited(database, token)).name == "Nora"
    await people.accept(database, token, PASSWORD)
    with pytest.raises(InvitationOver):
        await people.invited(database, token)
    with pytest.raises(InvitationOver):
        await people.accept(database, token, "een heel ander wachtwoordje")
    assert await sessions.login(database, EMAIL, PASSWORD)


async def test_of_two_at_once_one_wins(database: AsyncEngine) -> None:
    token = await invitation(database)
    both = [people.accept(database, token, f"{PASSWORD} {number}") for number in range(2)]
    results = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["InvitationOver", "int"]


@pytest.mark.parametrize(
    "spoiled",
    [
        "UPDATE invitation SET expires_at = now() - interval '1 second'",
        "UPDATE invitation SET used_at = now()",
        "UPDATE coach SET active = false",
    ],
)
async def test_an_invitation_ends(database: AsyncEngine, spoiled: str) -> None:
    token = await invitation(database)
    await change(database, spoiled)
    for attempt in (people.invited(database, token), people.accept(database, token, PASSWORD)):
        with pytest.raises(InvitationOver):
            await attempt


async def test_an_invitation_is_good_for_seven_days(database: AsyncEngine) -> None:
    token = await invitation(database)
    await change(database, "UPDATE invitation SET expires_at = expires_at - interval '6 days 23 hours'")
    assert await people.invited(database, token)
    await change(database, "UPDATE invitation SET expires_at = expires_at - interval '2 hours'")
    with pytest.raises(InvitationOver):
        await people.invited(database, token)


async def test_a_newer_invitation_replaces_the_older(database: AsyncEngine) -> None:
    old = await invitation(database)
    new = await people.invite(database, EMAIL)
    with pytest.raises(InvitationOver):
        await people.invited(database, old)
    assert await people.invited(database, new)


@pytest.mark.parametrize("token", ["", "x", "\x00", "\ud800", "é", "a" * 10_000])
async def test_no_invitation_can_be_made_up(database: AsyncEngine, token: str) -> None:
    await invitation(database)
    with pytest.raises(InvitationOver):
        await people.invited(database, token)


async def test_a_weak_password_leaves_the_invitation_good(database: AsyncEngine) -> None:
    token = await invitation(database)
    with pytest.raises(WeakPassword):
        await people.accept(database, token, "nora")
    assert await people.accept(database, token, PASSWORD)


async def test_no_secret_is_kept(database: AsyncEngine) -> None:
    token = await invitation(database)
    coach_id = await people.accept(database, token, PASSWORD)
    session = await sessions.start(database, coach_id, None)
    async with database.connect() as link:
        for table in ("coach", "invitation", "desk_session", "audit"):
            kept = str((await link.execute(sql(f"SELECT * FROM {table}"))).all())
            assert token not in kept and session not in kept and PASSWORD not in kept
        assert (await link.execute(sql("SELECT password_hash FROM coach"))).scalar_one().startswith("$argon2id$")


# Passwords


@pytest.mark.parametrize(
    ("password", "good"),
    [
        (PASSWORD, True),
        ("Kx9!vQ2#pL7z", True),
        ("مرحبا يا صديقي العزيز", True),
        ("🐘🦒🐆🦓🦏🐊🐢🦎🐍🐓🦃🦚", True),
        ("Kx9!vQ2#pL7", False),  # 11 characters
        ("", False),
        ("a" * 12, False),
        ("abcabcabcabcabc", False),
        ("123456789012", False),
        ("abcdefghijklm", False),
        ("wachtwoord123", False),
        ("Welkom012345Welkom", False),
        ("nora@example.org", False),
        ("NoraNoraNoraNora", False),
        ("x" + PASSWORD * 20, False),  # 500 characters
    ],
)
def test_which_passwords_are_good_enough(password: str, good: bool) -> None:
    try:
        passwords.check(password, [EMAIL, "Nora"])
        assert good
    except WeakPassword:
        assert not good


# Logging in


async def test_who_can_log_in(database: AsyncEngine) -> None:
    coach_id = await nora(database)
    assert await sessions.login(database, f"  {EMAIL.upper()} ", PASSWORD) == coach_id
    for email, password in [
        (EMAIL, PASSWORD + "x"),
        (EMAIL, PASSWORD.upper()),
        (EMAIL, ""),
        (EMAIL, "x" * 100_000),
        ("nobody@example.org", PASSWORD),
        ("' OR 1=1 --", PASSWORD),
        ("", ""),
    ]:
        with pytest.raises(LoginRefused):
            await sessions.login(database, email, password)


async def test_whoever_has_no_password_yet_cannot_log_in(database: AsyncEngine) -> None:
    await invitation(database)
    with pytest.raises(LoginRefused):
        await sessions.login(database, EMAIL, "")


async def test_five_failures_lock_for_a_quarter_of_an_hour(database: AsyncEngine) -> None:
    await nora(database)
    for _ in range(5):
        with pytest.raises(LoginRefused):
            await sessions.login(database, EMAIL, "wrong")
    with pytest.raises(LoginRefused):
        await sessions.login(database, EMAIL, PASSWORD)
    async with database.connect() as link:
        left = (await link.execute(sql("SELECT locked_until - now() FROM coach"))).scalar_one()
    assert 14 * 60 < left.total_seconds() <= 15 * 60
    await change(database, "UPDATE coach SET locked_until = now() - interval '1 second'")
    with pytest.raises(LoginRefused):  # one more failure is the first of a new row
        await sessions.login(database, EMAIL, "wrong")
    assert await sessions.login(database, EMAIL, PASSWORD)


async def test_four_failures_do_not_lock(database: AsyncEngine) -> None:
    await nora(database)
    for _ in range(2):
        for _ in range(4):
            with pytest.raises(LoginRefused):
                await sessions.login(database, EMAIL, "wrong")
        assert await sessions.login(database, EMAIL, PASSWORD)


async def test_a_dozen_guesses_at_once_are_five(database: AsyncEngine) -> None:
    await nora(database)
    guesses = [sessions.login(database, EMAIL, f"guess {number}") for number in range(12)]
    assert all(isinstance(r, LoginRefused) for r in await asyncio.gather(*guesses, return_exceptions=True))
    async with database.connect() as link:
        row = (await link.execute(sql("SELECT failures, locked_until > now() AS locked FROM coach"))).one()
    assert row.failures == 5 and row.locked


# Sessions


@pytest.mark.parametrize(
    ("happened", "still_in"),
    [
        ("UPDATE desk_session SET seen_at = now() - interval '11 hours 59 minutes'", True),
        ("UPDATE desk_session SET seen_at = now() - interval '12 hours 1 second'", False),
        ("UPDATE desk_session SET expires_at = expires_at - interval '6 days 23 hours'", True),
        ("UPDATE desk_session SET expires_at = expires_at - interval '7 days'", False),
        ("UPDATE desk_session SET revoked_at = now()", False),
        ("UPDATE coach SET active = false", False),
        (
            "UPDATE coach SET failures = 5, locked_until = now() + interval '15 minutes'",
            True,
        ),  # others cannot throw out
    ],
)
async def test_when_a_session_ends(database: AsyncEngine, happened: str, still_in: bool) -> None:
    token = await sessions.start(database, await nora(database), None)
    await change(database, happened)
    assert bool(await sessions.find(database, token)) is still_in


async def test_only_doing_something_keeps_a_session(database: AsyncEngine) -> None:
    token = await sessions.start(database, await nora(database), None)
    for active, fresh in ((False, False), (True, True)):
        await change(database, "UPDATE desk_session SET seen_at = now() - interval '5 hours'")
        assert await sessions.find(database, token, active)
        async with database.connect() as link:
            age = (await link.execute(sql("SELECT now() - seen_at FROM desk_session"))).scalar_one()
        assert (age.total_seconds() < 3600) is fresh


async def test_a_new_session_ends_the_one_before(database: AsyncEngine) -> None:
    coach_id = await nora(database)
    first = await sessions.start(database, coach_id, None)
    other = await sessions.start(database, coach_id, None)
    second = await sessions.start(database, coach_id, first)
    assert [bool(await sessions.find(database, token)) for token in (first, other, second)] == [False, True, True]


async def test_a_new_password_ends_every_session(database: AsyncEngine) -> None:
    token = await sessions.start(database, await nora(database), None)
    await people.accept(database, await people.invite(database, EMAIL), "iets heel anders 12")
    assert await sessions.find(database, token) is None
