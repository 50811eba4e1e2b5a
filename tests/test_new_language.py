"""A fourth language is data: Spanish is added in the steps of docs/languages.md, trained, and answers over HTTP."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.commands import rasa_side
from bot.settings import ROOT
from bot.understanding import Turn, Understanding

FIXTURE = ROOT / "tests" / "fixtures" / "language"  # what a person adds; the six topics of a first day
PAGE = (ROOT / "docs" / "languages.md").read_text("utf-8")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Rasa side as it is, with Spanish next to the other three, and its model in es.tar.gz."""
    folder = tmp_path_factory.mktemp("spanish")
    for part in ("nlu", "actions", "stories"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns(".venv", "__pycache__"))
    shutil.copytree(FIXTURE / "nlu" / "es", folder / "nlu" / "es")
    for path in (FIXTURE / "actions").rglob("*.yml"):
        _put_next_to_the_others(folder / path.relative_to(FIXTURE), path)
    command = [str(rasa_side.PYTHON), "-m", "nlu.train", "es", "es.tar.gz"]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **rasa_side.CALM}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


@pytest.fixture(scope="module")
async def spanish(repository: Path) -> AsyncIterator[Understanding]:
    """The service with that one model."""
    port = rasa_side.free_port()
    command = [str(rasa_side.PYTHON), "-m", "nlu.service", "--port", str(port), "--model=es=es.tar.gz"]
    process = subprocess.Popen(command, cwd=repository, env={**os.environ, **rasa_side.CALM})
    url = f"http://127.0.0.1:{port}"
    try:
        await rasa_side.wait_ready(url, process)
        async with Understanding(url) as understanding:
            yield understanding
    finally:
        await rasa_side.stop(process)


@pytest.mark.parametrize(
    ("written", "topic", "said"),
    [
        ("holaa buenas", "greet", "Soy Tekkie"),
        ("hola, cuánto cuesta estudiar ahí?", "cost", "Hay caminos gratuitos"),
        ("y cuántos meses dura?", "how_long", "unos meses"),
        ("qué salario se cobra al mes", "salary", "¿Sobre qué profesión"),
        ("no quiero vivir más", "crisis_suicide", "Llama ahora al 113"),
    ],
)
async def test_it_answers_in_spanish(spanish: Understanding, written: str, topic: str, said: str) -> None:
    turn = await spanish.turn("es", None, text=written)
    assert turn.understood.topic == topic
    assert said in _text(turn) and "{" not in _text(turn)


async def test_only_what_exists_in_spanish_is_offered(spanish: Understanding) -> None:
    turn = await spanish.turn("es", None, text="¿cuánto tiempo dura el curso?")
    assert [(button.title, button.payload) for button in turn.replies[-1].buttons] == [("¿Cuánto cuesta?", "/cost")]


async def test_it_knows_occupations_and_remembers_them(spanish: Understanding) -> None:
    turn = await spanish.turn("es", None, text="¿cuánto gana una programadora?")
    assert turn.understood.entities == {"occupation": "software_developer"}
    assert re.search(r"entre \d\.\d{3} y \d\.\d{3} euros", _text(turn))
    turn = await spanish.turn("es", turn.state, payload="/occupation_info")
    assert "Quien programa" in _text(turn)


async def test_an_occupation_without_a_spanish_text_gets_the_general_answer(spanish: Understanding) -> None:
    turn = await spanish.turn("es", None, text="¿cuánto gana un analista de datos?")
    assert turn.understood.entities == {"occupation": "data_analyst"}
    assert "¿Sobre qué profesión" in _text(turn)


async def test_it_admits_what_it_does_not_understand(spanish: Understanding) -> None:
    turn = await spanish.turn("es", None, payload="/not_understood")
    assert "con otras palabras" in _text(turn)


def test_the_page_names_every_file_that_is_added() -> None:
    for path in FIXTURE.rglob("*.yml"):
        name = str(path.relative_to(FIXTURE)).replace("nlu/es/", "nlu/<code>/")
        name = re.sub(r"examples/.*", "examples/<topic>.yml", name)
        name = re.sub(r"knowledge/.*", "knowledge/*.yml", name)
        assert f"`{name}`" in PAGE, name


def _text(turn: Turn) -> str:
    return "\n".join(reply.text for reply in turn.replies)


def _put_next_to_the_others(path: Path, added: Path) -> None:
    """Write the texts of `added` into `path`, entry by entry, as an editor would."""
    content = yaml.safe_load(path.read_text("utf-8"))
    _merge(content, yaml.safe_load(added.read_text("utf-8")))
    path.write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")


def _merge(content: dict[str, Any], added: dict[str, Any]) -> None:
    for key, value in added.items():
        if isinstance(value, dict):
            assert key in content, f"{key} is no longer an entry: mend the fixture"
            _merge(content[key], value)
        else:
            content[key] = value
