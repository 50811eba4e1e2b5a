"""./tekkie coach, and the first login of an embedded install."""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.coach import people, sessions
from bot.coach.people import AlreadyThere, InvitationOver, Newcomer, Role, UnknownCoach
from bot.commands import coach as command
from bot.settings import Settings, SettingsError
from tests.coach.world import PASSWORD, Browser, World, a_case

EMAIL = "nora@example.org"


async def invitation(database: AsyncEngine, email: str = EMAIL) -> str:
    return (await people.add(database, Newcomer("Nora", email)))[1]


async def nora(database: AsyncEngine) -> int:
    return await people.accept(database, await invitation(database), PASSWORD)


async def change(database: AsyncEngine, statement: str, **values: object) -> None:
    async with database.begin() as link:
        await link.execute(sql(statement), values)


# The first login


async def test_the_first_login_link(database: AsyncEngine) -> None:
    first = await people.first_login_link(database)
    again = await people.first_login_link(database)  # never used: a fresh one, the old one is over
    assert first and again and first != again
    with pytest.raises(InvitationOver):
        await people.invited(database, first.rpartition("/")[2])
    coach = await people.invited(database, again.rpartition("/")[2])
    assert (coach.name, coach.role) == ("Beheerder", Role.ADMIN)
    await people.accept(database, again.rpartition("/")[2], PASSWORD)
    assert await people.first_login_link(database) is None


async def test_two_starts_at_once_make_one_admin(database: AsyncEngine) -> None:
    links = await asyncio.gather(*(people.first_login_link(database) for _ in range(4)))
    assert all(links) and len(await people.everybody(database)) == 1


async def test_no_first_login_where_there_is_a_coach(database: AsyncEngine) -> None:
    await invitation(database)
    assert await people.first_login_link(database) is None


# The command


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    return parser.parse_args(words)


async def run(settings: Settings, url: str, *words: str) -> None:
    assert await command.coach(replace(settings, database_url=url), arguments(*words)) == 0


async def test_a_coach_from_the_command_line(
    database: AsyncEngine, database_url: str, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--team", "West", "--languages", "nl,tr", "--topics", "money", "--areas", "nieuw_west", "--room", "3"]
    await run(settings, database_url, "add", "Nora", EMAIL.upper(), *words, "--telegram", "99")
    link = capsys.readouterr().out.splitlines()[0]
    coach = await people.invited(database, link.rpartition("/")[2])
    assert (coach.email, coach.team, coach.languages, coach.topics) == (EMAIL, "West", ("nl", "tr"), ("money",))
    assert (coach.areas, coach.room, coach.role) == (("nieuw_west",), 3, Role.COACH)
    await run(settings, database_url, "invite", EMAIL)
    newer = capsys.readouterr().out.splitlines()[0]
    with pytest.raises(InvitationOver):
        await people.invited(database, link.rpartition("/")[2])
    await people.accept(database, newer.rpartition("/")[2], PASSWORD)
    await run(settings, database_url, "list")
    assert EMAIL in capsys.readouterr().out
    token = await sessions.start(database, coach.id, None)
    await run(settings, database_url, "logout", EMAIL)
    assert await sessions.find(database, token) is None
    with pytest.raises(SettingsError, match="already"):
        await run(settings, database_url, "add", "Nora", EMAIL)
    with pytest.raises(SettingsError, match="no coach"):
        await run(settings, database_url, "logout", "nobody@example.org")


async def test_a_team_from_the_command_line(database: AsyncEngine, database_url: str, settings: Settings) -> None:
    await run(settings, database_url, "team", "West", "--hours", "mon-fri 09:00-17:00, sat 10:00-12:00")
    await run(settings, database_url, "team", "West", "--answer-hours", "2.5", "--areas", "nieuw_west,noord")
    async with database.connect() as link:
        row = (await link.execute(sql("SELECT hours, answer_hours, areas FROM team"))).one()
    assert row.hours["fri"] == ["09:00", "17:00"] and row.hours["sat"] == ["10:00", "12:00"] and len(row.hours) == 6
    assert (row.answer_hours, row.areas) == (2.5, ["nieuw_west", "noord"])


@pytest.mark.parametrize(
    "words",
    [
        ("team", "West", "--hours", "mon-fri"),
        ("team", "West", "--hours", "fri-mon 09:00-17:00"),
        ("team", "West", "--hours", "mon 17:00-09:00"),
        ("team", "West", "--hours", "mon 25:00-26:00"),
        ("team", "West", "--answer-hours", "0"),
        ("team", "West", "--answer-hours", "nan"),
        ("add", "Nora", EMAIL, "--languages", "nl,fr"),
        ("add", "Nora", EMAIL, "--role", "god"),
        ("add", "Nora", EMAIL, "--room", "-1"),
        ("add", "Nora", EMAIL, "--areas", "a;b"),
    ],
)
def test_wrong_words_are_refused(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        arguments(*words)


@pytest.mark.parametrize(("name", "email"), [("", EMAIL), ("x" * 61, EMAIL), ("Nora", "nora"), ("Nora", "a@b@c")])
async def test_wrong_names_are_refused(settings: Settings, database_url: str, name: str, email: str) -> None:
    with pytest.raises(SettingsError):
        await run(settings, database_url, "add", name, email)


async def test_a_disabled_coach_is_out_and_loses_no_case(world: World, settings: Settings) -> None:
    _, key = await a_case(world)
    _, token = await people.add(world.database, Newcomer("Nora", EMAIL, team="West"))
    await people.accept(world.database, token, PASSWORD)
    async with Browser(world.url, EMAIL) as browser:
        assert await browser.log_in() == 303
        await browser.act(key, "take")
        await run(settings, world.database_url, "disable", EMAIL)
        await browser.get("me", status=401)
        assert await browser.log_in() == 403
    [row] = await world.rows("SELECT state, coach_id FROM referral WHERE key = :key", key=key)
    assert (row.state, row.coach_id) == ("waiting", None)
    with pytest.raises(UnknownCoach):
        await people.disable(world.database, "nobody@example.org")


async def test_an_address_belongs_to_one_coach(database: AsyncEngine) -> None:
    await invitation(database)
    with pytest.raises(AlreadyThere):
        await invitation(database, EMAIL.upper())
