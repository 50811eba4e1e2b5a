"""./tekkie coach: who works at the desk. Prints a one-time welcome link; nobody ever chooses a password for another."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import re
from collections.abc import Awaitable, Callable

from sqlalchemy import Float, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.coach import cases, people
from bot.coach.hours import DAYS, OFFICE_HOURS
from bot.coach.people import AlreadyThere, Newcomer, Role, UnknownCoach
from bot.commands import opened, rasa_side
from bot.handover import Event, NotPossible
from bot.messages import LANGUAGES, clean
from bot.settings import Settings, SettingsError

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_WORD = re.compile(r"[\w+-]{1,40}")
_DAYS_AND_TIMES = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? (\d\d:\d\d)-(\d\d:\d\d)")
_MOST_NAME = 60

_TEAM = text(
    """
    INSERT INTO team (name, hours, answer_hours, areas) VALUES (:name, coalesce(:hours, :office), coalesce(:answer, 4),
        coalesce(:areas, '[]'::jsonb))
    ON CONFLICT (name) DO UPDATE SET hours = coalesce(:hours, team.hours),
        answer_hours = coalesce(:answer, team.answer_hours), areas = coalesce(:areas, team.areas)
    RETURNING name, hours, answer_hours, areas
    """
).bindparams(
    *(bindparam(name, type_=JSONB(none_as_null=True)) for name in ("hours", "office", "areas")),
    bindparam("answer", type_=Float),
)


def arguments(part: argparse.ArgumentParser) -> None:
    """Add the sub-commands to `./tekkie coach`."""
    commands = part.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, work: Work, says: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=says, description=says)
        made.set_defaults(work=work)
        return made

    new = add("add", _add, "invite a new coach; prints a welcome link that works once, for 7 days")
    new.add_argument("name", metavar="NAME", help="as people read it")
    new.add_argument("email", metavar="EMAIL", help="to log in with")
    new.add_argument("--role", choices=[role.value for role in Role], default=Role.COACH.value)
    new.add_argument("--team", metavar="NAME", help="made when there is none of that name; default: the first team")
    new.add_argument("--languages", type=_languages, default=("nl",), metavar="nl,tr")
    new.add_argument("--topics", type=_words, default=(), metavar="money,study", help="topic groups; default: all")
    new.add_argument("--areas", type=_words, default=(), metavar="nieuw_west", help="default: all")
    new.add_argument("--room", type=_room, default=8, metavar="N", help="cases at the same time")
    new.add_argument("--telegram", type=int, metavar="ID", help="their own Telegram id")
    add("list", _list, "who there is")
    for name, work, says in (
        ("invite", _invite, "a new welcome link, also for a forgotten password"),
        ("logout", _logout, "end every session of a coach"),
        ("disable", _disable, "lock a coach out at once; their cases go back to the queue"),
    ):
        add(name, work, says).add_argument("email", metavar="EMAIL")
    team = add("team", _team, "make or change a team")
    team.add_argument("name", metavar="NAME")
    team.add_argument("--hours", type=opening_hours, metavar='"mon-fri 09:00-17:00, sat 10:00-12:00"')
    team.add_argument(
        "--answer-hours", type=_answer_hours, metavar="4", help="open hours in which somebody takes a case"
    )
    team.add_argument("--areas", type=_words, metavar="nieuw_west")


async def coach(settings: Settings, arguments: argparse.Namespace) -> int:
    """Run the sub-command. Raises SettingsError with one sentence."""
    async with opened.database(settings) as database:
        try:
            print(await arguments.work(settings, database, arguments))
        except UnknownCoach as error:
            raise SettingsError(f"There is no coach with the e-mail address {arguments.email}.") from error
        except AlreadyThere as error:
            raise SettingsError("A coach with this e-mail address or Telegram id is there already.") from error
    return 0


async def _add(settings: Settings, database: AsyncEngine, arguments: argparse.Namespace) -> str:
    name, email = clean(arguments.name), people.plain_email(clean(arguments.email))
    if not 0 < len(name) <= _MOST_NAME or "\n" in name:
        raise SettingsError(f"A name has 1 to {_MOST_NAME} characters.")
    if not _EMAIL.fullmatch(email):
        raise SettingsError(f"{email} is not an e-mail address.")
    newcomer = Newcomer(
        name=name,
        email=email,
        role=Role(arguments.role),
        team=clean(arguments.team) or None if arguments.team else None,
        languages=arguments.languages,
        topics=arguments.topics,
        areas=arguments.areas,
        room=arguments.room,
        telegram_id=arguments.telegram,
    )
    _, token = await people.add(database, newcomer)
    return _welcome(settings, name, token)


async def _invite(settings: Settings, database: AsyncEngine, arguments: argparse.Namespace) -> str:
    found = await people.by_email(database, arguments.email)
    if not found.active:
        raise SettingsError(f"{found.email} is disabled.")
    return _welcome(settings, found.name, await people.invite(database, found.email))


async def _list(settings: Settings, database: AsyncEngine, arguments: argparse.Namespace) -> str:
    rows = [
        f"{c.team:<20} {c.name:<24} {c.email:<32} {c.role:<7} {','.join(c.languages):<9}"
        f"{'' if c.active else 'disabled'}".rstrip()
        for c in await people.everybody(database)
    ]
    return "\n".join(rows) or "There is no coach yet: ./tekkie coach add NAME EMAIL"


async def _logout(settings: Settings, database: AsyncEngine, arguments: argparse.Namespace) -> str:
    await people.end_sessions(database, arguments.email)
    return f"{arguments.email} is logged out everywhere."


async def _disable(settings: Settings, database: AsyncEngine, arguments: argparse.Namespace) -> str:
    returned = 0
    locked_out = await people.by_email(database, arguments.email)
    for key in await people.disable(database, arguments.email):
        with contextlib.suppress(NotPossible):  # the person stopped it in the meantime
            async with database.begin() as link:
                case = await cases.locked(link, key)
                if case.coach_id == locked_out.id:  # not passed on in the meantime
                    await cases.by_the_clock(link, case, Event.RETURNED)
                    returned += 1
    return f"{arguments.email} cannot log in any more; {returned} cases went back to the queue."


async def _team(settings: Settings, database: AsyncEngine, arguments: argparse.Namespace) -> str:
    values = {
        "name": clean(arguments.name),
        "hours": arguments.hours,
        "office": dict(OFFICE_HOURS),
        "answer": arguments.answer_hours,
        "areas": list(arguments.areas) if arguments.areas is not None else None,
    }
    if not values["name"]:
        raise SettingsError("A team needs a name.")
    async with database.begin() as link:
        row = (await link.execute(_TEAM, values)).one()
    hours = ", ".join(f"{day} {row.hours[day][0]}-{row.hours[day][1]}" for day in DAYS if day in row.hours)
    areas = ", ".join(row.areas) or "every area that no other team has"
    return f"{row.name}: open {hours or 'never'}; takes a case within {row.answer_hours:g} open hours; {areas}."


def opening_hours(text: str) -> dict[str, list[str]]:
    """ "mon-fri 09:00-17:00, sat 10:00-12:00" as hours.py reads it. Raises ArgumentTypeError."""
    hours: dict[str, list[str]] = {}
    for part in text.lower().split(","):
        found = _DAYS_AND_TIMES.fullmatch(" ".join(part.split()))
        first, last = (found[1], found[2] or found[1]) if found else ("", "")
        if not found or first not in DAYS or last not in DAYS or DAYS.index(first) > DAYS.index(last):
            raise argparse.ArgumentTypeError(f"{part.strip()!r} is not like mon-fri 09:00-17:00")
        for day in DAYS[DAYS.index(first) : DAYS.index(last) + 1]:
            hours[day] = [_clock(found[3]), _clock(found[4])]
            if hours[day][0] >= hours[day][1]:
                raise argparse.ArgumentTypeError(f"{part.strip()!r} closes before it opens")
    return hours


def _clock(text: str) -> str:
    try:
        return datetime.time.fromisoformat(text).strftime("%H:%M")
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is not a time of day") from error


def _languages(text: str) -> tuple[str, ...]:
    found = _words(text)
    if not set(found) <= set(LANGUAGES):
        raise argparse.ArgumentTypeError(f"the languages are {', '.join(LANGUAGES)}")
    return found


def _words(text: str) -> tuple[str, ...]:
    found = tuple(word.strip() for word in text.split(",") if word.strip())
    if not all(_WORD.fullmatch(word) for word in found):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list like nieuw_west,noord")
    return found


def _room(text: str) -> int:
    if not text.isdigit() or not 0 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError("a number from 0 to 1000")
    return int(text)


def _answer_hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of hours") from error
    if not 0 < hours <= 200:
        raise argparse.ArgumentTypeError("more than 0 and at most 200 hours")
    return hours


def _welcome(settings: Settings, name: str, token: str) -> str:
    running = rasa_side.running_instance(settings.folder)
    base = settings.public_url or f"http://localhost:{running['port'] if running else 8080}"
    return f"{base}{people.welcome_path(token)}\nGive this link to {name}. It works once, for 7 days."


Work = Callable[[Settings, AsyncEngine, argparse.Namespace], Awaitable[str]]
