"""Every topic is complete in three languages: answer, examples, rule; and what is said can be said."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from bot.commands.models import examples
from bot.messages import LANGUAGES
from bot.settings import ROOT

DOMAIN = yaml.safe_load((ROOT / "stories/domain.yml").read_text("utf-8"))
OWN_INTENTS = {"ask_back", "not_understood", "something_else", "test_answer", "test_restart", "test_stop"}
TOPICS = [topic for topic in DOMAIN["intents"] if topic not in OWN_INTENTS]
SHARED = ROOT.parent / "shared"


def knowledge() -> dict[str, Any]:
    joined: dict[str, Any] = {}
    for path in (ROOT / "actions/knowledge").glob("*.yml"):
        for kind, entries in yaml.safe_load(path.read_text("utf-8")).items():
            joined.setdefault(kind, {}).update(entries)
    return joined


KNOWN = knowledge()
PLACEHOLDERS = {*KNOWN["figures"], *KNOWN["helplines"]}
PAY = {"start_low", "start_high", "experienced_low", "experienced_high"}


@pytest.mark.parametrize("topic", TOPICS)
def test_topic_is_complete(topic: str) -> None:
    entry = KNOWN["topics"][topic]
    assert entry["source"] and entry["as_of"] and entry["check_by"]
    assert len(entry.get("followups") or []) <= 3
    assert set(entry.get("followups") or []) <= set(TOPICS) - {topic}
    for language in LANGUAGES:
        assert 0 < len(entry["title"][language]) <= 20
        for part in ("answer", "simpler", "parent"):
            text = entry.get(part, {}).get(language)
            assert text or part != "answer"
            if text:
                assert len(text) <= 1024, "one bubble on WhatsApp with buttons"
                assert set(re.findall(r"\{(\w+)\}", text)) <= PLACEHOLDERS
        spread = {part: set(entry[part]) for part in ("answer", "simpler", "parent") if part in entry}
        assert all(languages == set(LANGUAGES) for languages in spread.values()), spread


def test_no_topic_without_a_rule_or_the_other_way_round() -> None:
    rules = yaml.safe_load((ROOT / "stories/rules.yml").read_text("utf-8"))["rules"]
    assert {rule["steps"][0]["intent"] for rule in rules} == {*TOPICS, *OWN_INTENTS}
    assert set(KNOWN["topics"]) == set(TOPICS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_examples(language: str) -> None:
    found = examples(language)
    topics = [topic for topic, _ in found]
    assert set(topics) == set(TOPICS)
    few = {topic: topics.count(topic) for topic in TOPICS if topics.count(topic) < 40}
    assert not few
    plain = [" ".join(re.findall(r"\w+", text.lower())) or text for _, text in found]
    twice = {text for text in plain if plain.count(text) > 1} if len(set(plain)) < len(plain) else set()
    assert not twice


@pytest.mark.parametrize("name", KNOWN["occupations"])
def test_occupation(name: str) -> None:
    record = KNOWN["occupations"][name]
    for language in LANGUAGES:
        assert len(record["title"][language]) <= 20 and record["name"][language]
        assert len(record["info"][language]) <= 1024
        assert set(re.findall(r"\{(\w+)\}", record["salary"][language])) <= PAY | PLACEHOLDERS
    assert record["start"][0] < record["start"][1] <= record["experienced"][1]
    assert record["start"][0] >= KNOWN["figures"]["wage_minimum_month"]["value"]


@pytest.mark.parametrize("entity", ["occupation", "place", "level", "language"])
def test_entities_have_words_in_every_language(entity: str) -> None:
    values = [
        list(yaml.safe_load((ROOT / f"nlu/{lang}/entities.yml").read_text("utf-8"))[entity]) for lang in LANGUAGES
    ]
    assert values[0] == values[1] == values[2]
    if entity == "occupation":
        assert values[0] == list(KNOWN["occupations"])
    if entity == "place":
        assert set(values[0]) <= set(KNOWN["places"])


@pytest.mark.skipif(not SHARED.exists(), reason="the shared design is not here")
def test_names_are_the_agreed_ones() -> None:
    groups = yaml.safe_load((SHARED / "topics.yml").read_text("utf-8"))
    assert [topic for group in groups.values() for topic in group] == TOPICS
    entities = yaml.safe_load((SHARED / "entities.yml").read_text("utf-8"))
    words = yaml.safe_load((ROOT / "nlu/nl/entities.yml").read_text("utf-8"))
    assert {entity: list(words[entity]) for entity in entities} == entities
