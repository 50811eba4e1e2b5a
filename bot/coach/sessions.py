"""Logging in at the desk, and who is behind a request from then on.

A session is a random token in a cookie; only its SHA-256 is kept. It ends after 12 hours without the coach doing
anything, after 7 days in any case, and at once when it is revoked or the coach is disabled.

Five wrong passwords lock an account for 15 minutes. Every refusal is the same and takes the same work, so that nobody
learns which addresses exist, or that an account is locked.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.coach import passwords, people
from bot.coach.people import Coach, digest
from bot.database import single

COOKIE = "tekkie_desk"
DAYS = 7
_IDLE_HOURS = 12
_MOST_FAILURES, _LOCKED_MINUTES = 5, 15


class LoginRefused(Exception):
    """Wrong, unknown, locked or disabled: it is not told which."""


@dataclass(frozen=True)
class Session:
    """Who is behind a request. `csrf` must come back with everything that changes something."""

    coach: Coach
    csrf: str
    digest: str


# The attempt is counted before the password is looked at: twenty guesses at once are still only five.
_ATTEMPT = text(
    f"""
    UPDATE coach SET
        failures = CASE WHEN locked_until <= now() THEN 1 ELSE failures + 1 END,
        locked_until = CASE WHEN (locked_until IS NULL OR locked_until > now()) AND failures + 1 >= {_MOST_FAILURES}
            THEN now() + interval '{_LOCKED_MINUTES} minutes' END
    WHERE email = :email AND active AND password_hash IS NOT NULL AND coalesce(locked_until <= now(), true)
    RETURNING id, password_hash
    """
)
_WELCOME = text("UPDATE coach SET failures = 0, locked_until = NULL WHERE id = :coach AND active RETURNING id")
_REHASH = text("UPDATE coach SET password_hash = :hash WHERE id = :coach AND password_hash = :old")
_OPEN = text(
    f"""
    INSERT INTO desk_session (digest, coach_id, expires_at)
    VALUES (:digest, :coach, now() + interval '{DAYS} days')
    """
)
_LIVE = f"""s.digest = :digest AND s.revoked_at IS NULL AND s.expires_at > now()
    AND s.seen_at > now() - interval '{_IDLE_HOURS} hours'"""
_FIND = text(
    f"""
    SELECT c.id, c.name, c.email, c.role, c.team_id, t.name AS team, c.languages, c.topics, c.areas, c.room, c.active,
        s.seen_at < now() - interval '1 minute' AS stale
    FROM desk_session s JOIN coach c ON c.id = s.coach_id JOIN team t ON t.id = c.team_id
    WHERE {_LIVE} AND c.active
    """
)
_TOUCH = text("UPDATE desk_session SET seen_at = now() WHERE digest = :digest")
_REVOKE = text("UPDATE desk_session SET revoked_at = now() WHERE digest = :digest AND revoked_at IS NULL")
_LOG = text("INSERT INTO audit (coach_id, what) VALUES (:coach, :what)")


async def login(database: AsyncEngine, email: str, password: str) -> int:
    """The coach's id. Raises LoginRefused."""
    async with single(database).connect() as link:
        row = (await link.execute(_ATTEMPT, {"email": people.plain_email(email)})).one_or_none()
    hashed = row.password_hash if row else None
    if not await passwords.fits(password, hashed) or row is None:
        raise LoginRefused
    async with database.begin() as link:
        if not (await link.execute(_WELCOME, {"coach": row.id})).scalar():
            raise LoginRefused
        await link.execute(_LOG, {"coach": row.id, "what": "logged in"})
    if passwords.is_old(row.password_hash):
        values = {"coach": row.id, "old": row.password_hash, "hash": await passwords.hashed(password)}
        async with single(database).connect() as link:
            await link.execute(_REHASH, values)
    return int(row.id)


async def start(database: AsyncEngine, coach_id: int, before: str | None) -> str:
    """The token of a new session. What the browser had `before` ends: a token set by somebody else is worth nothing."""
    token = secrets.token_urlsafe(32)
    async with database.begin() as link:
        if before:
            await link.execute(_REVOKE, {"digest": digest(before)})
        await link.execute(_OPEN, {"digest": digest(token), "coach": coach_id})
    return token


async def find(database: AsyncEngine, token: str | None, active: bool = True) -> Session | None:
    """Whose session it is, None when it is none (any more). `active`: the coach does something, so it lives on."""
    if not token:
        return None
    async with single(database).connect() as link:
        row = (await link.execute(_FIND, {"digest": digest(token)})).one_or_none()
        if row is not None and row.stale and active:
            await link.execute(_TOUCH, {"digest": digest(token)})
    return Session(people.as_coach(row), csrf_of(token), digest(token)) if row is not None else None


async def end(database: AsyncEngine, session: Session) -> None:
    """Log out here; other browsers stay logged in."""
    async with single(database).connect() as link:
        await link.execute(_REVOKE, {"digest": session.digest})


def csrf_of(token: str) -> str:
    """Belongs to one session; the page may know it, the cookie itself it may not."""
    return hmac.digest(token.encode(errors="surrogatepass"), b"csrf", "sha256").hex()


def same(given: str, known: str) -> bool:
    """Whether they are equal, in constant time."""
    return hmac.compare_digest(given.encode(errors="backslashreplace"), known.encode())
