"""Files that people send: fetched from the platform when a coach asks, handed on as a download, never kept or run.

Only mime types of the list go through, and the name's ending is the one that belongs to the type: a "photo.html"
becomes "photo.jpg". What the platform says about a file is checked, not what the person called it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from aiohttp import web

from bot.coach.door import Problem
from bot.coach.outside import Outside
from bot.messages import NotSent, clean

logger = logging.getLogger(__name__)

MOST_BYTES = 16 * 1024 * 1024
_ENDINGS: Mapping[str, str] = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "audio/ogg": "ogg",
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    "audio/aac": "aac",
    "audio/amr": "amr",
    "audio/wav": "wav",
    "audio/webm": "weba",
    "video/mp4": "mp4",
    "video/3gpp": "3gp",
    "application/pdf": "pdf",
    "text/plain": "txt",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.oasis.opendocument.text": "odt",
}
_MOST_NAME = 80
_PLAIN = re.compile(r"[^A-Za-z0-9 ._-]+")


async def fetch(outside: Outside, channel: str, attachment: Mapping[str, Any]) -> web.Response:
    """The file as an answer. Raises Problem: wrong kind, too big, gone, or the platform is away."""
    mime_of(str(attachment["mime"]))
    if int(attachment.get("size") or 0) > MOST_BYTES:
        raise Problem(422, "file_too_big")
    if outside.fetch is None:
        raise Problem(404, "file_gone")
    try:
        told, content = await outside.fetch(channel, str(attachment["media_id"]))
    except LookupError as error:
        raise Problem(404, "file_gone") from error
    except NotSent as error:
        logger.warning("an attachment on %s cannot be fetched: %s", channel, error)
        raise Problem(503, "file_away") from error
    if len(content) > MOST_BYTES:
        raise Problem(422, "file_too_big")
    mime = mime_of(told)
    return web.Response(body=content, headers=headers(mime, str(attachment.get("name") or "")))


def headers(mime: str, name: str) -> dict[str, str]:
    """Download headers: even opened in a window of its own, nothing in the file may run."""
    shown = file_name(name, mime)
    plain = _PLAIN.sub("_", shown)
    return {
        "Content-Type": "text/plain; charset=utf-8" if mime == "text/plain" else mime,
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(shown, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, no-store",
    }


def file_name(name: str, mime: str) -> str:
    """A name without folders, control characters or somebody else's ending."""
    last = re.split(r"[/\\]", clean(name))[-1].replace("\n", " ").replace("\t", " ")
    stem = last.rpartition(".")[0] or last
    stem = re.sub(r'[<>:"|?*;%]', "_", stem).strip(" .")[:_MOST_NAME].strip(" .")
    return f"{stem or 'bestand'}.{_ENDINGS[mime]}"


def mime_of(told: str) -> str:
    """The bare mime type, if we hand it on. Raises Problem."""
    mime = told.partition(";")[0].strip().lower()
    if mime not in _ENDINGS:
        raise Problem(422, "wrong_kind")
    return mime
