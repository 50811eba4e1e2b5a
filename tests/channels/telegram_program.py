"""The real program against the fake Telegram: started, killed with -9 at a chosen moment, started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bot.commands.rasa_side import child, free_port, stop
from tests.channels.telegram_bot import PUBLIC
from tests.fakes.telegram import TOKEN, Call, FakeTelegram

# What starts again and again should not be compiled every time, also where Python was told to keep nothing.
_BYTECODE = (
    {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "tekkie-tests-bytecode")}
    if sys.dont_write_bytecode
    else {}
)


@dataclass
class Program:
    """`python -m bot serve`; `mode` is polling or webhook."""

    fake: FakeTelegram
    mode: str
    database_url: str
    rasa_url: str
    port: int = field(default_factory=free_port)
    kills: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.fake.queue.doors[PUBLIC] = f"http://127.0.0.1:{self.port}"
        self.process = child(
            [sys.executable, "-m", "bot", "serve", "--port", str(self.port)],
            DATABASE_URL=self.database_url,
            NLU_URL=self.rasa_url,
            TEKKIE_SECRET="only for tests",
            TELEGRAM_BOT_TOKEN=TOKEN,
            TELEGRAM_API_BASE=self.fake.url,
            TELEGRAM_MODE=self.mode,
            PUBLIC_URL=PUBLIC,
            **_BYTECODE,
        )

    def kill(self) -> None:
        assert self.process
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None
        self.kills += 1

    async def stop(self) -> int:
        """Politely; the exit code."""
        assert self.process
        await stop(self.process)
        return self.process.returncode

    async def killed(self, when: Callable[[Call], bool]) -> None:
        """Kill it at the first call that fits, after its effect and before its answer."""
        before = self.kills

        def look(call: Call) -> None:
            if self.kills == before and when(call):
                self.kill()

        self.fake.on_taken = look
        await self.fake.until(lambda: self.kills > before, 60)
        self.fake.on_taken = lambda _: None
