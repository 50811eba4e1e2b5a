"""Everything that can be set from outside, read from the environment in this one place."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent


class SettingsError(Exception):
    """A setting cannot be used; the message is one sentence for the person who installs Tekkie."""


@dataclass(frozen=True)
class Settings:
    """`database_url` None means the embedded PostgreSQL in `folder`; see .env.example for the rest."""

    database_url: str | None
    nlu_url: str
    folder: Path
    secret: str
    secure_cookies: bool


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from environment variables. Raises SettingsError."""
    folder = Path(environment.get("TEKKIE_FOLDER", ROOT / "var")).resolve()
    url = environment.get("DATABASE_URL") or None
    if url and not url.startswith(("postgresql://", "postgres://", "postgresql+asyncpg://")):
        raise SettingsError("DATABASE_URL must start with postgresql://, for instance postgresql://user@host/tekkie.")
    return Settings(
        database_url=url,
        nlu_url=environment.get("NLU_URL", "http://127.0.0.1:5005").rstrip("/"),
        folder=folder,
        secret=environment.get("TEKKIE_SECRET") or _kept_secret(folder),
        secure_cookies=environment.get("SECURE_COOKIES", "").lower() in ("1", "true", "yes"),
    )


def _kept_secret(folder: Path) -> str:
    """The signing key of cookies, made once and kept, so that a restart throws nobody out."""
    path = folder / "secret"
    if not path.exists():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(32))
        except OSError as error:
            raise SettingsError(f"The folder {folder} cannot be written to: {error.strerror}.") from error
    return path.read_text().strip()
