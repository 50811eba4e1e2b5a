"""Every topic is complete in three languages: answer, examples, rule; and what is said can be said."""

from __future__ import annotations

import datetime
import json
import re

import pytest
import yaml

from bot.commands.content import outdated, problems, read
from bot.commands.models import examples
from bot.messages import LANGUAGES, has_words
from bot.settings import ROOT

DOMAIN = yaml.safe_load((ROOT / "stories/domain.yml").read_text("utf-8"))
OWN_INTENTS = {"ask_back", "not_understood", "something_else"} | {"test_answer", "test_restart", "test_stop"}
OWN_INTENTS |= {"referral_answer", "referral_change", "referral_stop"}
TOPICS = [topic for topic in DOMAIN["intents"] if topic not in OWN_INTENTS]
SHARED = ROOT.parent / "shared"


KNOWN = read()


def test_every_entry_is_complete_and_fits() -> None:
    assert list(problems(KNOWN)) == []


def test_what_is_wrong_is_named() -> None:
    cost = {
        **KNOWN["topics"]["cost"],
        "title": {"nl": "x" * 21, "tr": "", "ar": "y"},
        "source": [],
        "followups": ["cost"],
    }
    cost["answer"] = {"nl": "{no_such_figure}", "tr": "a" * 1025, "ar": "b"}
    found = list(problems({**KNOWN, "topics": {"cost": cost}}))
    for said in ("no source", "21 characters", "title is missing in tr", "no_such_figure", "1025", "not another topic"):
        assert any(said in line for line in found), said


def test_old_entries_are_listed() -> None:
    assert len(list(outdated(KNOWN, datetime.date(2100, 1, 1)))) > 90
    assert list(outdated(KNOWN, datetime.date(2000, 1, 1))) == []


def test_no_topic_without_a_rule_or_the_other_way_round() -> None:
    rules = yaml.safe_load((ROOT / "stories/rules.yml").read_text("utf-8"))["rules"]
    assert {rule["steps"][0]["intent"] for rule in rules} == {*TOPICS, *OWN_INTENTS}
    assert set(KNOWN["topics"]) == set(TOPICS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_examples_are_many_and_all_different(language: str) -> None:
    found = examples(language)
    topics = [topic for topic, _ in found]
    assert set(topics) == set(TOPICS)
    least = {"crisis_suicide": 250, "crisis_violence": 250, "out_of_scope": 600}
    assert not {topic: topics.count(topic) for topic in TOPICS if topics.count(topic) < least.get(topic, 100)}
    words = [(topic, text, tuple(re.findall(r"\w+", text.lower())) or (text,)) for topic, text in found]
    seen: dict[tuple[str, ...], str] = {}
    for topic, text, spoken in words:
        assert spoken not in seen, f"{text!r} stands in {seen[spoken]} and in {topic}"
        seen[spoken] = topic
    for topic in TOPICS:
        sets = [(text, frozenset(spoken)) for other, text, spoken in words if other == topic and len(set(spoken)) >= 4]
        for at, (text, own) in enumerate(sets):
            for earlier, theirs in sets[:at]:
                assert len(own & theirs) < 0.8 * len(own | theirs), f"{topic}: {text!r} is nearly {earlier!r}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_held_back_messages_are_not_trained_on(language: str) -> None:
    def spoken(text: str) -> tuple[str, ...]:
        return tuple(re.findall(r"\w+", text.lower())) or (text,)

    trained = {spoken(text) for _, text in examples(language)}
    for name in ("held_back", "calibration", "held_back_hints"):
        lines = (ROOT / f"nlu/{language}/{name}.jsonl").read_text("utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        shared = [row["text"] for row in rows if spoken(row["text"]) in trained]
        assert [text for text in shared if has_words(text)] == []  # a thumb is a thumb
        assert {row["topic"] for row in rows} == set(TOPICS) or name == "held_back_hints"


@pytest.mark.parametrize("name", KNOWN["occupations"])
def test_no_wage_under_the_minimum(name: str) -> None:
    record = KNOWN["occupations"][name]
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
