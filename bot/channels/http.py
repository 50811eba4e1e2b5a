"""What every channel over HTTP needs: refusing a request, reading no more of it than is allowed, the way out."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from aiohttp import web


class Refused(Exception):
    """The request cannot be taken: an HTTP status and a code of phrases.yml `refused`."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


async def read_body(request: web.Request, most_bytes: int, seconds: float = 10.0) -> bytes:
    """The body, but never more than the limit, whatever the headers promise, nor for longer than `seconds`.

    Raises Refused with 400 (it is not packed as it claims), 408 or 413.
    """
    if (request.content_length or 0) > most_bytes:
        raise Refused(413, "too_big")
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.content.iter_chunked(16_384):
                body += chunk
                if len(body) > most_bytes:
                    raise Refused(413, "too_big")
    except TimeoutError as error:
        raise Refused(408, "too_slow") from error
    except web.RequestPayloadError as error:
        raise Refused(400, "not_json") from error
    return bytes(body)


def proxy_for(base: str) -> str | None:
    """The proxy of the environment (HTTPS_PROXY, NO_PROXY) for an address; looked up once, not for every request."""
    parts = urlsplit(base)
    return None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
