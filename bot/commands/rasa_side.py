"""The Rasa side as a child process: its own Python environment, training, starting, finding a running one."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from bot.commands.models import model_path
from bot.settings import ROOT, Settings, SettingsError
from bot.understanding import Understanding

# One thread: on short texts the number libraries only get in each other's way.
CALM = {"PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
PYTHON = ROOT / "nlu" / ".venv" / "bin" / "python"


def make_environment() -> None:
    """Make or refresh nlu/.venv with uv; says so only when there is something to do."""
    uv = os.environ.get("TEKKIE_UV") or shutil.which("uv")
    if uv is None and PYTHON.exists():
        return  # started without the launcher: what is there must do
    if uv is None:
        raise SettingsError("uv was not found: start Tekkie with ./tekkie, which brings it.")
    environment = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")}
    if not PYTHON.exists():
        print("Installing the Rasa side (Python 3.10, 1.9 GB, once) ...", file=sys.stderr, flush=True)
    quiet = [] if not PYTHON.exists() and sys.stderr.isatty() else ["--quiet"]
    sync = [uv, "sync", *quiet, "--locked", "--compile-bytecode", "--project", str(ROOT / "nlu")]
    done = subprocess.run(sync, env=environment, cwd=ROOT, stdout=sys.stderr, check=False)
    if done.returncode:
        raise SettingsError("The Rasa side could not be installed; uv says why above (a full disk? no network?).")


def free_port() -> int:
    """A port nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def child(program: Sequence[str], **environment: str) -> subprocess.Popen[bytes]:
    """Start a process that dies with us, but does not see our Ctrl-C."""
    return subprocess.Popen(
        program,
        cwd=ROOT,
        env={**os.environ, **CALM, **environment},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,
    )


def command(settings: Settings, languages: Sequence[str], port: int) -> list[str]:
    """What starts the service with the models of `languages` as they are now, on the loopback address."""
    models = [f"--model={language}={model_path(settings.folder, language)}" for language in languages]
    return [str(PYTHON), "-m", "nlu.service", "--port", str(port), *models]


async def stop(process: subprocess.Popen[bytes], seconds: float = 10.0) -> None:
    """Ask it to stop, wait, and end it if it does not."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    for _ in range(int(seconds / 0.05)):
        if process.poll() is not None:
            return
        await asyncio.sleep(0.05)
    process.kill()
    process.wait()


@contextlib.asynccontextmanager
async def reachable(settings: Settings, languages: Sequence[str]) -> AsyncIterator[str]:
    """The address of a Rasa side with current models: a running one, or one just for us."""
    running = running_instance(settings.folder)
    if running and await _serves(running["nlu_url"], settings, languages):
        yield running["nlu_url"]
        return
    port = free_port()
    process = child(command(settings, languages, port))
    url = f"http://127.0.0.1:{port}"
    try:
        await wait_ready(url, process)
        yield url
    finally:
        await stop(process)


async def wait_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    """Until the service answers. Raises SettingsError when it ends instead."""
    async with Understanding(url) as understanding:
        while not await understanding.ready():
            if process.poll() is not None:
                raise SettingsError("The Rasa side stopped while starting; its messages are above.")
            await asyncio.sleep(0.2)


def running_instance(folder: Path) -> dict[str, str] | None:
    """What `./tekkie up` wrote about itself, if it is still there."""
    try:
        found = json.loads((folder / "run.json").read_text())
        os.kill(int(found["pid"]), 0)
    except (OSError, ValueError, KeyError):
        return None
    return dict(found)


async def _serves(url: str, settings: Settings, languages: Sequence[str]) -> bool:
    async with Understanding(url) as understanding:
        loaded = await understanding.models()
    return all(loaded.get(language) == model_path(settings.folder, language).name for language in languages)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
