"""WhatsApp Cloud API over aiohttp: verifies, sends, and says why it could not.

whatsapp_updates.py parses calls, whatsapp_payloads.py writes messages. What WhatsApp bears: 80 messages a second over
all; to one person one in 6 seconds, 45 of them in advance; only within 24 hours after the person's last message.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Mapping
from typing import Any, Self

import aiohttp

from bot.channels.http import Refused, proxy_for
from bot.channels.whatsapp_payloads import messages, read_and_typing, recipient, template
from bot.channels.whatsapp_updates import failure_of, parse_call
from bot.messages import TRIED_AGAIN, Failure, Incoming, Kind, Limits, NotSent, Outgoing, Receipt
from bot.settings import WhatsApp as Account

logger = logging.getLogger(__name__)

_SHOWN_AS_READ = (Kind.TEXT, Kind.CHOICE, Kind.MEDIA, Kind.LOCATION, Kind.CONTACT)
_NO_USER_IDS = 131062  # this business account must send to the number
_PAIR_LIMIT = 131056
_NO_SUCH_NUMBER = (100, 33)  # code and subcode: our own number id, or our right to use it
_BY_STATUS = {
    401: Failure.ALARM,
    403: Failure.ALARM,
    404: Failure.ALARM,
    408: Failure.AWAY,
    429: Failure.SLOWER,
}
_PAUSE_SECONDS = 5.0
_PAIR_SECONDS = 8.0
_MOST_FILE_BYTES = 16 * 1024 * 1024  # what is longer is refused by the desk
Answer = dict[str, Any]


class WhatsApp:
    """One business number; open it with `async with`."""

    limits = Limits(per_second=80.0, person_seconds=6.0, burst=45, window_hours=24.0)

    def __init__(self, account: Account) -> None:
        self._account = account
        self._there: dict[Outgoing, int] = {}  # how many pieces of a long reply came through before it failed
        self._base = f"{account.api_base}/{account.version}/{account.number_id}"

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=15, connect=5),
            headers={"Authorization": f"Bearer {self._account.token}"},
            connector=aiohttp.TCPConnector(limit=100),
            proxy=proxy_for(self._account.api_base),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    def challenge(self, query: Mapping[str, str]) -> str:
        """What to answer when Meta checks the address. Raises Refused with 403."""
        known = _same(query.get("hub.verify_token", ""), self._account.verify_token)
        if query.get("hub.mode") != "subscribe" or not known:
            raise Refused(403, "wrong_signature")
        return query.get("hub.challenge", "")

    def parse(self, headers: Mapping[str, str], body: bytes) -> tuple[list[Incoming], list[Receipt]]:
        """Messages and receipts of one call. Raises Refused: 401 unless it is signed (over the raw bytes), 400."""
        digest = hmac.digest(self._account.app_secret.encode(), body, hashlib.sha256).hex()
        if not _same(headers.get("X-Hub-Signature-256", ""), f"sha256={digest}"):
            raise Refused(401, "wrong_signature")
        try:
            call = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise Refused(400, "not_json") from error
        if not isinstance(call, dict):
            raise Refused(400, "wrong_shape")
        return parse_call(call, self._account.number_id)

    async def received(self, incoming: Incoming) -> None:
        """Mark as read and show "typing"."""
        if incoming.kind not in _SHOWN_AS_READ or not incoming.message_id:
            return
        try:
            await self._post(read_and_typing(incoming.message_id))
        except NotSent as problem:
            logger.info("no courtesy: %s", problem)

    async def send(self, outgoing: Outgoing) -> str | None:
        """Send one reply; the id of its (last) message. A try after a failure goes on there. Raises NotSent."""
        sent, parts = None, list(messages(outgoing))
        try:
            for number in range(self._there.get(outgoing, 0), len(parts)):
                sent = await self._send(outgoing, parts[number])
                if len(parts) > 1:
                    self._there[outgoing] = number + 1
        except NotSent as problem:
            if problem.failure not in TRIED_AGAIN:
                self._there.pop(outgoing, None)
            raise
        self._there.pop(outgoing, None)
        return sent

    async def typing(self, outgoing: Outgoing) -> None:
        """Show that a coach writes: it goes with a message of the person (`quote`). Raises NotSent."""
        if outgoing.quote:
            await self._post(read_and_typing(outgoing.quote))

    async def knock(self, outgoing: Outgoing) -> bool:
        """Send the approved template in the person's language that asks them to write. Raises NotSent."""
        name = self._account.templates.get(outgoing.language)
        if not name:
            return False
        await self._send(outgoing, template(name, outgoing.language))
        return True

    async def download(self, media_id: str) -> tuple[str, bytes]:
        """(mime type, bytes) of a file a person sent. Raises NotSent, and LookupError when it is gone."""
        about = await self._get(f"{self._account.api_base}/{self._account.version}/{media_id}")
        try:
            found = json.loads(about)
            return str(found["mime_type"]).partition(";")[0], await self._get(str(found["url"]))
        except (ValueError, KeyError, TypeError) as error:
            raise LookupError("file") from error

    async def _get(self, url: str) -> bytes:
        try:
            async with self._session.get(url) as response:
                if response.status in (400, 404):
                    raise LookupError("file")
                if response.status != 200:
                    raise NotSent(Failure.AWAY, str(response.status))
                body = bytearray()
                async for chunk in response.content.iter_chunked(65_536):
                    body += chunk
                    if len(body) > _MOST_FILE_BYTES:
                        break
                return bytes(body)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise NotSent(Failure.AWAY, type(error).__name__) from error

    async def _send(self, outgoing: Outgoing, payload: Answer) -> str | None:
        try:
            answer = await self._post({**payload, **recipient(outgoing.address)})
        except _Code as problem:
            if problem.code != _NO_USER_IDS or not outgoing.alias:
                raise
            answer = await self._post({**payload, **recipient(outgoing.alias)})
        sent = answer.get("messages")
        return str(sent[0]["id"]) if isinstance(sent, list) and sent else None

    async def _post(self, payload: Answer) -> Answer:
        try:
            async with self._session.post(
                f"{self._base}/messages", json={"messaging_product": "whatsapp", **payload}
            ) as response:
                answer = _json(await response.read())
                if response.status == 200 and isinstance(answer, dict):
                    return answer
                raise _failed(response.status, answer)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise NotSent(Failure.AWAY, type(error).__name__) from error


class _Code(NotSent):
    """NotSent with Meta's error code."""

    def __init__(self, failure: Failure, code: int, seconds: float, everyone: bool) -> None:
        super().__init__(failure, str(code), seconds=seconds, everyone=everyone)
        self.code = code


def _json(body: bytes) -> object:
    """None when it is not JSON: then it was not Meta who answered."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _failed(status: int, answer: object) -> NotSent:
    """What an error answer means: by error.code, and by the HTTP status where that says nothing."""
    error = answer.get("error") if isinstance(answer, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    if not isinstance(error, dict) or not isinstance(code, int):
        failure = _BY_STATUS.get(status, Failure.AWAY if answer is None or status >= 500 else Failure.REFUSED)
        return NotSent(failure, str(status), seconds=_PAUSE_SECONDS, everyone=True)
    failure = Failure.ALARM if (code, error.get("error_subcode")) == _NO_SUCH_NUMBER else failure_of(code)
    if failure is Failure.REFUSED and (status >= 500 or error.get("is_transient") is True):
        failure = Failure.AWAY
    one = code == _PAIR_LIMIT
    pause = (_PAIR_SECONDS if one else _PAUSE_SECONDS) if failure is Failure.SLOWER else 0.0
    return _Code(failure, code, pause, everyone=not one)


def _same(given: str, known: str) -> bool:
    """Whether they are equal, in constant time; headers may hold bytes that are no text."""
    return hmac.compare_digest(given.encode(errors="backslashreplace"), known.encode())
