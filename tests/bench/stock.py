"""Stock Rasa for comparison: `rasa train` and `rasa run` with our training data and its own components."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import yaml

from bot.commands.rasa_side import PYTHON, free_port
from bot.settings import ROOT

CONFIGS = {
    "default": """
recipe: default.v1
assistant_id: stock
language: nl
pipeline:
  - name: WhitespaceTokenizer
  - name: RegexFeaturizer
  - name: LexicalSyntacticFeaturizer
  - name: CountVectorsFeaturizer
  - name: CountVectorsFeaturizer
    analyzer: char_wb
    min_ngram: 1
    max_ngram: 4
  - name: DIETClassifier
    epochs: {epochs}
    constrain_similarities: true
  - name: EntitySynonymMapper
  - name: FallbackClassifier
    threshold: 0.3
policies:
  - name: MemoizationPolicy
  - name: RulePolicy
  - name: UnexpecTEDIntentPolicy
    max_history: 5
    epochs: {epochs}
  - name: TEDPolicy
    max_history: 5
    epochs: {epochs}
    constrain_similarities: true
""",
    "light": """
recipe: default.v1
assistant_id: stock
language: nl
pipeline:
  - name: WhitespaceTokenizer
  - name: CountVectorsFeaturizer
  - name: CountVectorsFeaturizer
    analyzer: char_wb
    min_ngram: 1
    max_ngram: 5
  - name: LogisticRegressionClassifier
  - name: FallbackClassifier
    threshold: 0.3
policies:
  - name: MemoizationPolicy
  - name: RulePolicy
""",
}
_TELEMETRY_OFF = {"RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}


def prepare(folder: Path, kind: str, epochs: int) -> None:
    """A stock project in `folder`: our Dutch examples, a response for every topic, rules, one story."""
    shutil.copytree(ROOT / "nlu" / "nl" / "examples", folder / "data" / "nlu")
    topics = sorted(path.stem for path in (ROOT / "nlu" / "nl" / "examples").glob("*.yml"))
    answers = _answers()
    domain = {
        "version": "3.1",
        "intents": topics,
        "responses": {
            **{f"utter_{topic}": [{"text": answers[topic]}] for topic in topics},
            "utter_default": [{"text": "Sorry, dat begreep ik niet."}],
        },
    }
    rules = [{"rule": topic, "steps": [{"intent": topic}, {"action": f"utter_{topic}"}]} for topic in topics]
    rules.append({"rule": "fallback", "steps": [{"intent": "nlu_fallback"}, {"action": "utter_default"}]})
    stories = [
        {
            "story": "two turns",
            "steps": [
                {"intent": "occupation_info"},
                {"action": "utter_occupation_info"},
                {"intent": "salary"},
                {"action": "utter_salary"},
            ],
        }
    ]
    _write(folder / "domain.yml", domain)
    _write(folder / "data" / "rules.yml", {"version": "3.1", "rules": rules, "stories": stories})
    (folder / "config.yml").write_text(CONFIGS[kind].replace("{epochs}", str(epochs)))
    tracker = {"tracker_store": {"type": "SQL", "dialect": "sqlite", "db": str(folder / "rasa.db")}}
    _write(folder / "endpoints.yml", tracker)
    _write(folder / "credentials.yml", {"rest": None})


def train(folder: Path) -> float:
    """Seconds that `rasa train` takes."""
    started = time.monotonic()
    command = [str(PYTHON), "-m", "rasa", "train", "--force", "--fixed-model-name", "stock"]
    environment = {**os.environ, **_TELEMETRY_OFF}
    with (folder / "train.log").open("wb") as log:
        subprocess.run(command, cwd=folder, env=environment, stdout=log, stderr=log, check=True)
    return time.monotonic() - started


@contextlib.asynccontextmanager
async def run(folder: Path) -> AsyncIterator[tuple[str, int, float]]:
    """A running `rasa run`: (address, process id, seconds until it answered)."""
    port = free_port()
    command = [str(PYTHON), "-m", "rasa", "run", "--port", str(port), "-i", "127.0.0.1"]
    command += ["--credentials", "credentials.yml", "--endpoints", "endpoints.yml"]
    started = time.monotonic()
    with (folder / "run.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env={**os.environ, **_TELEMETRY_OFF}, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        await _answers_at(url, process)
        yield url, process.pid, time.monotonic() - started
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 30)


async def _answers_at(url: str, process: subprocess.Popen[bytes]) -> None:
    async with aiohttp.ClientSession() as session:
        while process.poll() is None:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.post(
                    url + "/webhooks/rest/webhook", json={"sender": "first", "message": "hallo"}
                ) as answer:
                    if answer.status == 200 and await answer.json():
                        return
            await asyncio.sleep(0.2)
    raise RuntimeError("rasa run stopped; see run.log")


def _answers() -> dict[str, str]:
    found: dict[str, str] = {}
    for path in (ROOT / "actions" / "knowledge").glob("*.yml"):
        for topic, entry in (yaml.safe_load(path.read_text("utf-8")).get("topics") or {}).items():
            found[topic] = entry["answer"]["nl"].replace("{", "(").replace("}", ")")
    return found


def _write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, allow_unicode=True, width=10_000), "utf-8")
