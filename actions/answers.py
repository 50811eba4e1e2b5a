"""The actions Rasa runs: they look at what was understood and say what the knowledge base says.

Plain rasa_sdk actions, so that `rasa shell` and `rasa test` work too; nlu/dialogue.py runs them in
the same process. Every action that speaks returns the slots that the next turn needs.
"""

from __future__ import annotations

import datetime
import json
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.knowledge import Entry, Knowledge, load

Button = dict[str, str]
Events = list[dict[str, Any]]
COACH = "talk_to_coach"
_SALARY, _INFO, _WHERE = "salary", "occupation_info", "school_where"


class ActionAnswer(Action):
    """Says the answer of the topic that was understood, with its follow-up buttons."""

    def name(self) -> str:
        return "action_answer"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        knowledge, language = load(), _language(tracker)
        entry = knowledge.entries[_topic(tracker)]
        text = _record_answer(knowledge, entry, tracker, language)
        if text is None:
            text = knowledge.fill(entry.answer[language], language)
        if entry.check_by < datetime.date.today():
            text += "\n" + knowledge.phrases["may_have_changed"][language]
        dispatcher.utter_message(text=text, buttons=_followups(knowledge, entry, tracker, language))
        return [SlotSet("last_topic", entry.topic), SlotSet("misunderstood", 0)]


class ActionAskBack(Action):
    """Not sure: offers the likeliest topics as buttons, plus "something else"."""

    def name(self) -> str:
        return "action_ask_back"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        knowledge, language = load(), _language(tracker)
        choices = tracker.latest_message.get("understood", {}).get("choices", [])
        entities = _entities(tracker)
        buttons = [_topic_button(knowledge, topic, language, entities) for topic in choices]
        buttons.append({"title": knowledge.phrases["something_else"][language], "payload": "/something_else"})
        dispatcher.utter_message(text=knowledge.phrases["ask_back"][language], buttons=buttons)
        return []


class ActionNotUnderstood(Action):
    """Admits it and shows what can be asked; the second time in a row offers a coach."""

    def name(self) -> str:
        return "action_not_understood"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        knowledge, language = load(), _language(tracker)
        times = int(tracker.get_slot("misunderstood") or 0) + 1
        phrase = "not_understood" if times == 1 else "not_understood_again"
        topics = ["capabilities", "occupation_overview", COACH] if times == 1 else [COACH, "capabilities"]
        buttons = [_topic_button(knowledge, topic, language) for topic in topics]
        dispatcher.utter_message(text=knowledge.phrases[phrase][language], buttons=buttons)
        return [SlotSet("misunderstood", times)]


class ActionRephrase(Action):
    """None of the choices was meant: asks for other words."""

    def name(self) -> str:
        return "action_rephrase"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        knowledge, language = load(), _language(tracker)
        buttons = [_topic_button(knowledge, COACH, language)]
        dispatcher.utter_message(text=knowledge.phrases["rephrase"][language], buttons=buttons)
        return []


class ActionSimpler(Action):
    """Says the last answer again in one or two easy sentences."""

    def name(self) -> str:
        return "action_simpler"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        knowledge, language = load(), _language(tracker)
        last = knowledge.entries.get(tracker.get_slot("last_topic") or "")
        entry = last if last and last.simpler else knowledge.entries["repeat_simpler"]
        text = (entry.simpler or entry.answer)[language]
        buttons = _followups(knowledge, entry, tracker, language)
        dispatcher.utter_message(text=knowledge.fill(text, language), buttons=buttons)
        return [SlotSet("misunderstood", 0)]


def _language(tracker: Tracker) -> str:
    return str(tracker.get_slot("language") or "nl")


def _topic(tracker: Tracker) -> str:
    return str(tracker.latest_message["intent"]["name"])


def _entities(tracker: Tracker) -> dict[str, str]:
    return {e["entity"]: e["value"] for e in tracker.latest_message.get("entities") or []}


def _record_answer(knowledge: Knowledge, entry: Entry, tracker: Tracker, language: str) -> str | None:
    """The answer from a record, when the talk is about one occupation or one place."""
    if entry.topic in (_SALARY, _INFO):
        record = knowledge.records["occupations"].get(tracker.get_slot("occupation") or "")
        if record is None:
            return None
        field = "info" if entry.topic == _INFO else "salary"
        return knowledge.fill(record[field][language], language, **_pay(record, language))
    if entry.topic == _WHERE:
        place = knowledge.records["places"].get(_entities(tracker).get("place") or tracker.get_slot("place") or "")
        return knowledge.fill(place["answer"][language], language) if place else None
    return None


def _pay(record: dict[str, Any], language: str) -> dict[str, str]:
    separator = "" if language == "ar" else "."
    names = ("start_low", "start_high", "experienced_low", "experienced_high")
    amounts = (*record["start"], *record["experienced"])
    return {name: f"{amount:,}".replace(",", separator) for name, amount in zip(names, amounts)}


def _followups(knowledge: Knowledge, entry: Entry, tracker: Tracker, language: str) -> list[Button]:
    return [_topic_button(knowledge, topic, language) for topic in entry.followups if topic in knowledge.entries]


def _topic_button(knowledge: Knowledge, topic: str, language: str, entities: dict[str, str] | None = None) -> Button:
    kept = {name: value for name, value in (entities or {}).items() if name in ("occupation", "place")}
    payload = f"/{topic}" + (json.dumps(kept, separators=(",", ":")) if kept else "")
    return {"title": knowledge.title(topic, language), "payload": payload}
