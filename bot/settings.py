"""Everything that can be set from outside, read from the environment in this one place."""

from __future__ import annotations

import hmac
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from dotenv import dotenv_values

ROOT = Path(__file__).parent.parent
_TELEGRAM_TOKEN = re.compile(r"\d{5,}:[\w-]{30,}")


class SettingsError(Exception):
    """A setting cannot be used; the message is one sentence for the person who installs Tekkie."""


class Role(StrEnum):
    """What one process of the bot does."""

    ALL = "all"
    FRONT = "front"
    WORK = "work"


@dataclass(frozen=True)
class Telegram:
    """`webhook` is the public https address Telegram calls, None for polling; `secret` comes with each call."""

    token: str
    secret: str
    webhook: str | None = None
    api_base: str = "https://api.telegram.org"
    coach_group: int | None = None  # a supergroup with topics, where coaches see their cases too


@dataclass(frozen=True)
class WhatsApp:
    """`templates`: language -> name of the approved template that asks a silent person to write again."""

    token: str
    number_id: str
    app_secret: str
    verify_token: str
    version: str = "v23.0"
    api_base: str = "https://graph.facebook.com"
    templates: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Settings:
    """`database_url` None means the embedded PostgreSQL in `folder`; see .env.example for the rest."""

    database_url: str | None
    nlu_url: str
    folder: Path
    secret: str
    secure_cookies: bool
    public_url: str | None = None  # where people and platforms reach us, https://...
    telegram: Telegram | None = None
    whatsapp: WhatsApp | None = None
    keep_days: int = 180  # then the words of somebody who wrote nothing more go


def environment() -> Mapping[str, str]:
    """The environment, with what stands in .env beneath it."""
    kept = {name: value for name, value in dotenv_values(ROOT / ".env").items() if value}
    return {**kept, **os.environ}


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from environment variables. Raises SettingsError."""
    folder = Path(environment.get("TEKKIE_FOLDER", ROOT / "var")).resolve()
    url = environment.get("DATABASE_URL") or None
    if url and not url.startswith(("postgresql://", "postgres://", "postgresql+asyncpg://")):
        raise SettingsError("DATABASE_URL must start with postgresql://, for instance postgresql://user@host/tekkie.")
    secret = environment.get("TEKKIE_SECRET") or _kept_secret(folder)
    public_url = (environment.get("PUBLIC_URL") or "").rstrip("/") or None
    if public_url and not public_url.startswith("https://"):
        raise SettingsError("PUBLIC_URL must start with https://, for instance https://tekkie.example.nl.")
    return Settings(
        database_url=url,
        nlu_url=environment.get("NLU_URL", "http://127.0.0.1:5005").rstrip("/"),
        folder=folder,
        secret=secret,
        secure_cookies=environment.get("SECURE_COOKIES", "").lower() in ("1", "true", "yes"),
        public_url=public_url,
        telegram=_telegram(environment, secret, public_url),
        whatsapp=_whatsapp(environment),
        keep_days=_keep_days(environment.get("RETENTION_DAYS") or "180"),
    )


def _keep_days(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 3650:
        raise SettingsError("RETENTION_DAYS must be a number of days from 1 to 3650.")
    return int(text)


def _telegram(environment: Mapping[str, str], secret: str, public_url: str | None) -> Telegram | None:
    token = environment.get("TELEGRAM_BOT_TOKEN", "").strip()
    if not token:
        return None
    if not _TELEGRAM_TOKEN.fullmatch(token):
        raise SettingsError("TELEGRAM_BOT_TOKEN is not a token from @BotFather: digits, a colon, 35 signs.")
    mode = environment.get("TELEGRAM_MODE") or "polling"
    if mode not in ("polling", "webhook"):
        raise SettingsError("TELEGRAM_MODE must be polling or webhook.")
    if mode == "webhook" and not public_url:
        raise SettingsError("TELEGRAM_MODE=webhook also needs PUBLIC_URL, the https address Telegram can call.")
    group = environment.get("TELEGRAM_COACH_GROUP") or ""
    if group and not re.fullmatch(r"-\d+", group):
        raise SettingsError("TELEGRAM_COACH_GROUP is the id of a group: a minus and digits, such as -1001234567890.")
    return Telegram(
        token=token,
        secret=hmac.digest(secret.encode(), b"telegram webhook", "sha256").hex(),
        webhook=f"{public_url}/webhooks/telegram" if mode == "webhook" else None,
        api_base=(environment.get("TELEGRAM_API_BASE") or Telegram.api_base).rstrip("/"),
        coach_group=int(group) if group else None,
    )


def _whatsapp(environment: Mapping[str, str]) -> WhatsApp | None:
    names = ("WHATSAPP_TOKEN", "WHATSAPP_PHONE_NUMBER_ID", "WHATSAPP_APP_SECRET", "WHATSAPP_VERIFY_TOKEN")
    given = {name: environment.get(name, "").strip() for name in names}
    if not any(given.values()):
        return None
    missing = [name for name, value in given.items() if not value]
    if missing:
        raise SettingsError(f"WhatsApp also needs {', '.join(missing)} (docs/channels.md says where to find them).")
    token, number_id, app_secret, verify_token = given.values()
    if not number_id.isdigit():
        raise SettingsError("WHATSAPP_PHONE_NUMBER_ID is the id of the number (digits only), not the number itself.")
    version = environment.get("WHATSAPP_API_VERSION") or WhatsApp.version
    if not re.fullmatch(r"v\d+\.\d+", version):
        raise SettingsError("WHATSAPP_API_VERSION must look like v23.0.")
    base = (environment.get("WHATSAPP_API_BASE") or WhatsApp.api_base).rstrip("/")
    templates = _templates(environment.get("WHATSAPP_TEMPLATES") or "")
    return WhatsApp(token, number_id, app_secret, verify_token, version, base, templates)


def _templates(text: str) -> dict[str, str]:
    """ "nl=verder_nl, tr=verder_tr" -> {"nl": "verder_nl", ...}"""
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    found = {language.strip(): name.strip() for language, _, name in pairs}
    if not all(found.values()) or not found.keys() <= {"nl", "tr", "ar"}:
        raise SettingsError("WHATSAPP_TEMPLATES must look like nl=name,tr=name,ar=name.")
    return found


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
