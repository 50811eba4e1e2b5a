"""The compose file is valid, and its start commands are the ones the launcher uses natively."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml

from bot.settings import ROOT


def test_compose_follows_the_schema() -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")
    command = [str(checker), "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_only_the_bot_can_be_reached() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert set(services) == {"postgres", "nlu", "bot", "worker"}
    assert [name for name, service in services.items() if "ports" in service] == ["bot"]


def test_images_copy_what_exists() -> None:
    for dockerfile in ("bot/Dockerfile", "nlu/Dockerfile"):
        for line in (ROOT / dockerfile).read_text().splitlines():
            if line.startswith("COPY "):
                for source in line.split()[1:-1]:
                    assert (ROOT / source).exists(), f"{dockerfile}: {source}"
