"""Runs a measurement of the Rasa side (nlu/evaluate.py, nlu/stock.py) in its own Python and reads the result."""

from __future__ import annotations

import asyncio
import json
import os
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

from bot.commands import rasa_side
from bot.settings import ROOT, SettingsError

Result = dict[str, Any]
_MARK = "RESULT "


async def measure(language: str, model: Path, curve: bool = False) -> Result:
    """What nlu/evaluate.py says of one trained model. Raises SettingsError when it fails."""
    return await run("nlu.evaluate", language, str(model), *(["--curve"] if curve else []), **rasa_side.CALM)


async def run(module: str, language: str, *arguments: str, **environment: str) -> Result:
    """The JSON behind RESULT that `python -m module language ...` prints. Raises SettingsError when it fails."""
    command = [str(rasa_side.PYTHON), "-m", module, language, *arguments]
    # Unbuffered, Python loses the end of a line longer than the pipe (64 KB) when it is stopped half-way, and exits 0.
    environment = {**os.environ, **environment, "PYTHONUNBUFFERED": ""}
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment, stdout=PIPE, stderr=PIPE)
    try:
        said, problems = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        raise
    lines = [line for line in said.decode("utf-8", "replace").splitlines() if line.startswith(_MARK)]
    if process.returncode or not lines:
        raise SettingsError(f"Measuring {language} failed: {problems.decode('utf-8', 'replace').strip()[-300:]}")
    return dict(json.loads(lines[-1].removeprefix(_MARK)))
