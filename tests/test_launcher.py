"""./tekkie up as the person who installs it meets it: real processes, real signals, one clear sentence."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bot.commands.models import BrokenExamples, examples
from bot.commands.rasa_side import free_port
from bot.settings import ROOT, Settings, SettingsError, read

MODELS = ROOT / "var" / "models"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder of its own that borrows the trained models."""
    (tmp_path / "models").symlink_to(MODELS)
    yield tmp_path
    shutil.rmtree(tmp_path, ignore_errors=True)


def tekkie(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "bot", *arguments],
        cwd=ROOT,
        env={**os.environ, "TEKKIE_FOLDER": str(folder), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def fails(folder: Path, *arguments: str, **environment: str) -> str:
    """The one sentence of a command that must fail."""
    process = tekkie(folder, *arguments, **environment)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1, said
    lines = said.strip().splitlines()
    assert "Traceback" not in said and len(lines) <= 3, said
    return " ".join(lines)


def test_a_port_in_use(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"Port {port} is in use" in fails(folder, "up", "--port", str(port))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://somewhere/db", "must start with postgresql://"),
        ("postgresql://nobody@127.0.0.1:1/tekkie", "No database answers"),
        ("postgresql://127.0.0.1:notaport/tekkie", "is not a database address"),
    ],
)
def test_a_wrong_database(folder: Path, url: str, said: str) -> None:
    assert said in fails(folder, "up", "--port", str(free_port()), DATABASE_URL=url)


def test_an_address_that_is_not_ours(folder: Path) -> None:
    assert "Cannot listen" in fails(folder, "up", "--host", "203.0.113.1", "--port", str(free_port()))


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert "cannot be written" in fails(tmp_path / "file" / "var", "up")


def test_serve_without_a_database(folder: Path) -> None:
    assert "DATABASE_URL is not set" in fails(folder, "serve", DATABASE_URL="")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("nlu:\n  - intent: cost\n   examples: |", "line 3 cannot be read"),
        ("nlu:\n- examples: |\n    - hallo\n", "a block without 'intent:'"),
        ("nlu:\n- intent: cost\n  examples: [hallo]\n", "intent cost has no 'examples: |'"),
        ("", "is empty"),
        ("version: '3.1'\n", "has no list under 'nlu:'"),
    ],
)
def test_a_broken_training_file_is_named(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "nlu" / "nl" / "examples").mkdir(parents=True)
    (tmp_path / "nlu" / "nl" / "examples" / "cost.yml").write_text(content)
    with pytest.raises(BrokenExamples, match="cost") as problem:
        examples("nl", tmp_path)
    assert said in str(problem.value)


def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from bot.commands import up

    usage = shutil.disk_usage(tmp_path)._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(SettingsError, match="nearly full: 1 MB free"):
        up.check_disk(tmp_path)


def test_settings_from_the_environment(tmp_path: Path) -> None:
    chosen: Settings = read({"TEKKIE_FOLDER": str(tmp_path), "NLU_URL": "http://nlu:5005/", "SECURE_COOKIES": "1"})
    assert (chosen.nlu_url, chosen.secure_cookies, chosen.database_url) == ("http://nlu:5005", True, None)
    assert read({"TEKKIE_FOLDER": str(tmp_path)}).secret == chosen.secret and len(chosen.secret) == 64


def test_up_ready_twice_and_gone(folder: Path) -> None:
    port = free_port()
    process = tekkie(folder, "up", "--port", str(port))
    try:
        said = _until_ready(process)
        assert f"Chat: http://localhost:{port}/chat" in said
        family = psutil.Process(process.pid).children(recursive=True)
        postmaster = psutil.Process(int((folder / "postgres" / "postmaster.pid").read_text().split()[0]))
        assert "already running" in fails(folder, "up", "--port", str(free_port()))
        assert "It adds up." in subprocess.check_output(
            [sys.executable, "-m", "bot", "accounts"],
            cwd=ROOT,
            env={**os.environ, "TEKKIE_FOLDER": str(folder)},
            text=True,
        )
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 0
    gone, alive = psutil.wait_procs([*family, postmaster], timeout=5)
    assert not alive and len(gone) >= 3


def _until_ready(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    said = ""
    started = time.monotonic()
    for line in process.stdout:
        said += line
        if "Tekkie is ready" in line:
            return said
        assert time.monotonic() - started < 120
    raise AssertionError(said)
