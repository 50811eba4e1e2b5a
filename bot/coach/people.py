"""The people at the desk: coaches, and the link that invites them to choose a password.

An invitation is a random token of which only the SHA-256 is kept: whoever reads
the database cannot use it. It works once, for seven days, and a newer one of the same coach replaces it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Integer, Row, Text, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.coach import passwords, sql
from bot.coach.hours import OFFICE_HOURS
from bot.database import single

_INVITATION_DAYS = 7
_FIRST_EMAIL = "beheerder@tekkie.local"


class Role(StrEnum):
    """COACH sees the cases of the own team and those given to them, EDITOR only figures, ADMIN everything."""

    COACH = "coach"
    EDITOR = "editor"
    ADMIN = "admin"


@dataclass(frozen=True)
class Coach:
    """Somebody who works at the desk. No `topics` (groups such as "money") or `areas` means all."""

    id: int
    name: str
    email: str
    role: Role
    team_id: int
    team: str
    languages: tuple[str, ...] = ("nl",)
    topics: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    room: int = 8
    active: bool = True


@dataclass(frozen=True)
class Newcomer:
    """What `./tekkie coach add` is told. `team` is made when there is none of that name; None is the first team."""

    name: str
    email: str
    role: Role = Role.COACH
    team: str | None = None
    languages: Sequence[str] = ("nl",)
    topics: Sequence[str] = ()
    areas: Sequence[str] = ()
    room: int = 8
    telegram_id: int | None = None


class AlreadyThere(Exception):
    """Somebody has this e-mail address or Telegram id already."""


class UnknownCoach(Exception):
    """Nobody has this e-mail address."""


class InvitationOver(Exception):
    """The link was used, replaced, is too old or was never made."""


_COLUMNS = """c.id, c.name, c.email, c.role, c.team_id, t.name AS team, c.languages, c.topics, c.areas, c.room, c.active
    FROM coach c JOIN team t ON t.id = c.team_id"""
_ALL = text(f"SELECT {_COLUMNS} ORDER BY t.name, c.name, c.id")
_BY_EMAIL = text(f"SELECT {_COLUMNS} WHERE c.email = :email")
_TEAM = text(
    """
    INSERT INTO team (name, hours) VALUES (:name, :hours)
    ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id
    """
).bindparams(bindparam("hours", type_=JSONB))
_ADD = text(
    """
    INSERT INTO coach (team_id, name, email, role, languages, topics, areas, room, telegram_id)
    VALUES (:team, :name, :email, :role, :languages, :topics, :areas, :room, :telegram) RETURNING id
    """
).bindparams(
    *(bindparam(name, type_=JSONB) for name in ("languages", "topics", "areas")),
    bindparam("telegram", type_=BigInteger),
)
_INVITE = text(
    f"""
    WITH old AS (UPDATE invitation SET used_at = now() WHERE coach_id = :coach AND used_at IS NULL)
    INSERT INTO invitation (digest, coach_id, expires_at)
    VALUES (:digest, :coach, now() + interval '{_INVITATION_DAYS} days')
    """
)
_USABLE = "digest = :digest AND used_at IS NULL AND expires_at > now()"
_INVITED = text(
    f"SELECT {_COLUMNS} JOIN invitation i ON i.coach_id = c.id WHERE i.digest = :digest"
    " AND i.used_at IS NULL AND i.expires_at > now() AND c.active"
)
_USE = text(f"UPDATE invitation SET used_at = now() WHERE {_USABLE}")
_SET_PASSWORD = text(
    """
    UPDATE coach SET password_hash = :hash, failures = 0, locked_until = NULL WHERE id = :coach AND active
    """
)
END_SESSIONS = text("UPDATE desk_session SET revoked_at = now() WHERE coach_id = :coach AND revoked_at IS NULL")
_DISABLE = text("UPDATE coach SET active = false WHERE id = :coach")
_CANCEL = text("UPDATE invitation SET used_at = now() WHERE coach_id = :coach AND used_at IS NULL")
_TAKEN_BY = text("SELECT key FROM referral WHERE coach_id = :coach AND state = 'taken' ORDER BY id")
_LOG = text("INSERT INTO audit (coach_id, what) VALUES (:coach, :what)").bindparams(
    bindparam("coach", type_=Integer), bindparam("what", type_=Text)
)
# Nobody can log in yet: no coach at all, or only the first one, who never chose a password.
_NOBODY_YET = text(
    """
    SELECT pg_advisory_xact_lock(hashtext('tekkie first login')), NOT EXISTS (
        SELECT FROM coach WHERE email <> :email OR password_hash IS NOT NULL OR NOT active) AS nobody
    """
)


async def add(database: AsyncEngine, newcomer: Newcomer) -> tuple[int, str]:
    """(id, invitation token) of a new coach. Raises AlreadyThere."""
    try:
        async with database.begin() as link:
            coach_id = await _insert(link, newcomer)
            return coach_id, await _invite(link, coach_id)
    except IntegrityError as error:
        raise AlreadyThere from error


async def invite(database: AsyncEngine, email: str) -> str:
    """A new invitation, also for somebody who forgot their password. Raises UnknownCoach."""
    coach = await by_email(database, email)
    async with database.begin() as link:
        return await _invite(link, coach.id)


async def invited(database: AsyncEngine, token: str) -> Coach:
    """Whom an invitation is for. Raises InvitationOver."""
    async with single(database).connect() as link:
        row = (await link.execute(_INVITED, {"digest": digest(token)})).one_or_none()
    if row is None:
        raise InvitationOver
    return as_coach(row)


async def accept(database: AsyncEngine, token: str, password: str) -> int:
    """Use the invitation and set the password; every older session of this coach ends. The coach's id.

    Raises passwords.WeakPassword (the invitation stays good) and InvitationOver.
    """
    coach = await invited(database, token)
    passwords.check(password, [coach.email, *coach.name.split()])
    hashed = await passwords.hashed(password)
    async with database.begin() as link:
        if not (await link.execute(_USE, {"digest": digest(token)})).rowcount:
            raise InvitationOver
        if not (await link.execute(_SET_PASSWORD, {"coach": coach.id, "hash": hashed})).rowcount:
            raise InvitationOver
        await link.execute(END_SESSIONS, {"coach": coach.id})
        await link.execute(_LOG, {"coach": coach.id, "what": "chose a password"})
    return coach.id


async def everybody(database: AsyncEngine) -> list[Coach]:
    """Every coach that was ever added, by team."""
    async with single(database).connect() as link:
        return [as_coach(row) for row in await link.execute(_ALL)]


async def by_email(database: AsyncEngine, email: str) -> Coach:
    """Raises UnknownCoach."""
    async with single(database).connect() as link:
        row = (await link.execute(_BY_EMAIL, {"email": plain_email(email)})).one_or_none()
    if row is None:
        raise UnknownCoach
    return as_coach(row)


async def disable(database: AsyncEngine, email: str) -> list[str]:
    """Out at once, on every screen; the keys of the cases they still have. Raises UnknownCoach."""
    coach = await by_email(database, email)
    async with database.begin() as link:
        for statement in (_DISABLE, END_SESSIONS, _CANCEL):
            await link.execute(statement, {"coach": coach.id})
        await link.execute(_LOG, {"coach": coach.id, "what": "disabled"})
        return [row.key for row in await link.execute(_TAKEN_BY, {"coach": coach.id})]


async def end_sessions(database: AsyncEngine, email: str) -> None:
    """Log a coach out everywhere. Raises UnknownCoach."""
    coach = await by_email(database, email)
    async with single(database).connect() as link:
        await link.execute(END_SESSIONS, {"coach": coach.id})


async def first_login_link(database: AsyncEngine) -> str | None:
    """The path of a welcome page for a first admin while nobody can log in at all, else None."""
    async with database.begin() as link:
        if not (await link.execute(_NOBODY_YET, {"email": _FIRST_EMAIL})).one().nobody:
            return None
        row = (await link.execute(_BY_EMAIL, {"email": _FIRST_EMAIL})).one_or_none()
        first = Newcomer("Beheerder", _FIRST_EMAIL, Role.ADMIN)
        return welcome_path(await _invite(link, row.id if row else await _insert(link, first)))


def welcome_path(token: str) -> str:
    return f"/desk/welcome/{token}"


def digest(token: str) -> str:
    """What is kept of a token: it is long and random, so a plain SHA-256 cannot be turned back."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def plain_email(email: str) -> str:
    return email.strip().casefold()


def as_coach(row: Row[Any]) -> Coach:
    """From a row with the columns of the queries above."""
    return Coach(
        id=row.id,
        name=row.name,
        email=row.email,
        role=Role(row.role),
        team_id=row.team_id,
        team=row.team,
        languages=tuple(row.languages),
        topics=tuple(row.topics),
        areas=tuple(row.areas),
        room=row.room,
        active=row.active,
    )


async def _insert(link: AsyncConnection, newcomer: Newcomer) -> int:
    values: Mapping[str, object] = {
        "team": await _team(link, newcomer.team),
        "name": newcomer.name,
        "email": plain_email(newcomer.email),
        "role": newcomer.role,
        "languages": list(newcomer.languages),
        "topics": list(newcomer.topics),
        "areas": list(newcomer.areas),
        "room": newcomer.room,
        "telegram": newcomer.telegram_id,
    }
    return int((await link.execute(_ADD, values)).scalar_one())


async def _team(link: AsyncConnection, name: str | None) -> int:
    """The team of that name, made with office hours when it is new; without a name the first one there is."""
    if name:
        return int((await link.execute(_TEAM, {"name": name, "hours": dict(OFFICE_HOURS)})).scalar_one())
    first = (await link.execute(text("SELECT min(id) FROM team"))).scalar()
    return int(first or (await link.execute(sql.FIRST_TEAM, {"hours": dict(OFFICE_HOURS)})).scalar_one())


async def _invite(link: AsyncConnection, coach_id: int) -> str:
    token = secrets.token_urlsafe(24)
    await link.execute(_INVITE, {"coach": coach_id, "digest": digest(token)})
    return token
