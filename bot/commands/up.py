"""./tekkie up: sets everything up, starts it, keeps it alive, and stops it all on one Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

import aiohttp

from bot.coach import people
from bot.commands import content, postgres, rasa_side
from bot.commands.train import WorseModel, ensure_trained, pins
from bot.database import engine
from bot.messages import LANGUAGES
from bot.settings import Role, Settings, SettingsError

_LEAST_FREE_BYTES = 500_000_000
_MOST_QUICK_DEATHS = 10  # in a row: then a part is given up
_QUICK = 5.0


async def up(settings: Settings, arguments: argparse.Namespace) -> None:
    """Run until Ctrl-C or SIGTERM. Raises SettingsError with one sentence when something is wrong."""
    host, port = arguments.host, arguments.port
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    with only_one(settings.folder):
        check_disk(settings.folder)
        check_port(host, port)
        if settings.database_url:
            await postgres.check(settings.database_url)
        if not await _unless(stopped, _prepare(settings)):
            return
        await _run(settings, host, port, stopped)


async def _prepare(settings: Settings) -> None:
    content.check()
    await asyncio.to_thread(rasa_side.make_environment)
    try:
        await ensure_trained(settings)
    except WorseModel as refusal:  # the models before them go on answering
        _say(str(refusal))
    for line in pins(settings.folder):
        _say(line)


async def _run(settings: Settings, host: str, port: int, stopped: asyncio.Event) -> None:
    embedded = None
    nlu_port = rasa_side.free_port()
    nlu_url = f"http://127.0.0.1:{nlu_port}"
    parts: list[Part] = []
    try:
        nlu = rasa_side.command(settings, LANGUAGES, nlu_port)
        _say("Starting the assistant ...")
        parts.append(Part("The Rasa side", lambda: rasa_side.child(nlu)))  # first: it takes longest
        if settings.database_url is None:
            _say("Starting the database ...")
            embedded = await asyncio.to_thread(postgres.Embedded, settings.folder / "postgres")
        url = settings.database_url or (embedded.url if embedded else "")
        await postgres.check(url)
        bot = [sys.executable, "-m", "bot", "serve", "--host", host, "--port", str(port), "--part"]
        for name, role in (("The bot", Role.FRONT), ("The worker", Role.WORK)):
            start = partial(rasa_side.child, [*bot, role], DATABASE_URL=url, NLU_URL=nlu_url)
            parts.append(Part(name, start))
        note = {"pid": os.getpid(), "port": port, "nlu_url": nlu_url, "database_url": url}
        with _noted(settings.folder, note):
            keeping = asyncio.create_task(_keep_alive(parts, embedded, stopped))
            if await _unless(stopped, _healthy(host, port, keeping)):
                await _announce(_address(host, port), url, embedded is not None)
            await stopped.wait()
            await keeping
    finally:
        _say("Stopping ...")
        for part in reversed(parts):
            await rasa_side.stop(part.process)
        if embedded:
            await asyncio.to_thread(embedded.stop)


async def _announce(address: str, url: str, embedded: bool) -> None:
    """Where to go. While nobody has logged in at the desk of an embedded install, also how to be the first."""
    lines = [f"\nTekkie is ready.  Chat: {address}/chat", f"                  Desk: {address}/desk"]
    if embedded:
        database = engine(url)
        try:
            link = await people.first_login_link(database)
        finally:
            await database.dispose()
        lines += [f"First login at the desk (works once): {address}{link}"] if link else []
    print("\n".join([*lines, "Ctrl-C stops everything.\n"]), flush=True)


class Part:
    """One child process that is started again when it dies."""

    def __init__(self, name: str, start: Callable[[], subprocess.Popen[bytes]]) -> None:
        self.name = name
        self._start = start
        self._quick_deaths = 0
        self._born = time.monotonic()
        self.process = start()

    def look_after(self) -> None:
        """Start it again if it has died. Raises SettingsError when it keeps dying."""
        if self.process.poll() is None:
            return
        lived = time.monotonic() - self._born
        self._quick_deaths = self._quick_deaths + 1 if lived < _QUICK else 0
        if self._quick_deaths >= _MOST_QUICK_DEATHS:
            raise SettingsError(f"{self.name} keeps stopping; its messages are above.")
        self._born = time.monotonic()
        _say(f"{self.name} stopped (code {self.process.returncode}); starting it again.")
        self.process = self._start()


async def _keep_alive(parts: list[Part], embedded: postgres.Embedded | None, stopped: asyncio.Event) -> None:
    try:
        while not stopped.is_set():
            if embedded and not _alive(embedded.pid):
                await asyncio.to_thread(embedded.revive)
            for part in parts:
                part.look_after()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), 0.2)
    finally:
        stopped.set()


async def _healthy(host: str, port: int, keeping: asyncio.Task[None]) -> None:
    url = f"{_address(host, port)}/health"
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as session:
        while not keeping.done():
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with session.get(url) as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(0.2)


async def _unless(stopped: asyncio.Event, work: Awaitable[object]) -> bool:
    """True when `work` came to its end, False when we were told to stop first."""
    task = asyncio.ensure_future(work)
    waiting = asyncio.create_task(stopped.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        waiting.cancel()
        task.result()
        return True
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return False


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Holds a lock on `folder`. Raises SettingsError when another `up` has it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "up.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                found = rasa_side.running_instance(folder)
                where = f" at http://localhost:{found['port']}/chat" if found else ""
                raise SettingsError(f"Tekkie is already running{where}; stop that one first (Ctrl-C).") from error
            yield
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EROFS, errno.ENOSPC):
            raise SettingsError(f"The folder {folder} cannot be written to: {error.strerror}.") from error
        raise


def check_disk(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < _LEAST_FREE_BYTES:
        raise SettingsError(f"The disk of {folder} is nearly full: {free // 1_000_000} MB free, 500 MB needed.")


def check_port(host: str, port: int) -> None:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SettingsError(f"Port {port} is in use by another program; choose one with --port.") from error
        raise SettingsError(f"Cannot listen on {host} port {port}: {error.strerror or error}.") from error


@contextlib.contextmanager
def _noted(folder: Path, note: dict[str, object]) -> Iterator[None]:
    path = folder / "run.json"
    path.write_text(json.dumps(note))
    path.chmod(0o600)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _address(host: str, port: int) -> str:
    return f"http://{'localhost' if host in ('127.0.0.1', '0.0.0.0', '::', '::1') else host}:{port}"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
