"""The actions Rasa runs: they look at what was understood and say what the knowledge base says.

Plain rasa_sdk actions, so that `rasa shell` and `rasa test` work too; nlu/dialogue.py runs them in
the same process. Every action that speaks returns the slots that the next turn needs.
"""

from __future__ import annotations

import datetime
import json
from typing import Any, Iterable

from rasa_sdk import Action, Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import interest_test, referral
from actions.knowledge import SAFETY, Entry, Knowledge, load

Button = dict[str, str]
Events = list[dict[str, Any]]
COACH = "talk_to_coach"
LISTEN = FollowupAction("action_listen")  # every answer ends the turn: saves Rasa a prediction
_SALARY, _INFO, _WHERE = "salary", "occupation_info", "school_where"


class ActionAnswer(Action):
    """Says the answer of the topic that was understood; a second question in the message comes after it.

    A test that was interrupted goes on afterwards, except after a safety topic.
    """

    def name(self) -> str:
        return "action_answer"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        knowledge, language = load(), _language(tracker)
        topic = str(tracker.latest_message["intent"]["name"])
        for name in [topic, *tracker.latest_message.get("understood", {}).get("also", [])]:
            entry = knowledge.entries[name]
            for place in _pins(knowledge, entry, tracker, language):
                dispatcher.utter_message(json_message={"place": place})
            buttons = _topic_buttons(knowledge, entry.followups, language)
            dispatcher.utter_message(text=_text(knowledge, entry, tracker, language), buttons=buttons)
        if interest_test.running(tracker) and topic not in SAFETY:
            answers = interest_test.read_answers(tracker) or {}
            interest_test.ask(dispatcher, knowledge, language, answers, "test_again")
        elif referral.running(tracker) and topic not in SAFETY:
            referral.ask_again(dispatcher, knowledge, language, tracker)
        return [SlotSet("last_topic", topic), SlotSet("misunderstood", 0), LISTEN]


class ActionAskBack(Action):
    """Not sure: offers the likeliest topics as buttons, plus "something else"."""

    def name(self) -> str:
        return "action_ask_back"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        knowledge, language = load(), _language(tracker)
        choices = tracker.latest_message.get("understood", {}).get("choices", [])
        entities = {e["entity"]: e["value"] for e in tracker.latest_message.get("entities") or []}
        buttons = _topic_buttons(knowledge, choices, language, entities)
        buttons.append({"title": knowledge.phrases["something_else"][language], "payload": "/something_else"})
        dispatcher.utter_message(text=knowledge.phrases["ask_back"][language], buttons=buttons)
        return [LISTEN]


class ActionNotUnderstood(Action):
    """Admits it and shows what can be asked; the second time in a row offers a coach."""

    def name(self) -> str:
        return "action_not_understood"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        knowledge, language = load(), _language(tracker)
        times = int(tracker.get_slot("misunderstood") or 0) + 1
        phrase = "not_understood" if times == 1 else "not_understood_again"
        topics = ["capabilities", "occupation_overview", COACH] if times == 1 else [COACH, "capabilities"]
        buttons = _topic_buttons(knowledge, topics, language)
        dispatcher.utter_message(text=knowledge.phrases[phrase][language], buttons=buttons)
        return [SlotSet("misunderstood", times), LISTEN]


class ActionRephrase(Action):
    """None of the choices was meant: asks for other words."""

    def name(self) -> str:
        return "action_rephrase"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        knowledge, language = load(), _language(tracker)
        buttons = _topic_buttons(knowledge, [COACH], language)
        dispatcher.utter_message(text=knowledge.phrases["rephrase"][language], buttons=buttons)
        return [LISTEN]


class ActionSimpler(Action):
    """Says the last answer again in one or two easy sentences."""

    def name(self) -> str:
        return "action_simpler"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        knowledge, language = load(), _language(tracker)
        last = knowledge.entries.get(tracker.get_slot("last_topic") or "")
        entry = last if last and last.simpler else knowledge.entries["repeat_simpler"]
        text = (entry.simpler or entry.answer)[language]
        buttons = _topic_buttons(knowledge, entry.followups, language)
        dispatcher.utter_message(text=knowledge.fill(text, language), buttons=buttons)
        return [SlotSet("misunderstood", 0), LISTEN]


def _language(tracker: Tracker) -> str:
    return str(tracker.get_slot("language") or "nl")


def _text(knowledge: Knowledge, entry: Entry, tracker: Tracker, language: str) -> str:
    """The answer: of the occupation or place talked about, for a parent or for anybody; with a word when it is old."""
    text = _record_answer(knowledge, entry, tracker, language)
    if text is None:
        variant = entry.parent if entry.parent and tracker.get_slot("asker") == "parent" else entry.answer
        text = knowledge.fill(variant[language], language)
    if entry.check_by < datetime.date.today():
        text += "\n" + knowledge.phrases["may_have_changed"][language]
    return text


def _record_answer(knowledge: Knowledge, entry: Entry, tracker: Tracker, language: str) -> str | None:
    """The answer from a record, when the talk is about one occupation or one place."""
    if entry.topic in (_SALARY, _INFO):
        record = knowledge.records["occupations"].get(tracker.get_slot("occupation") or "")
        field = "info" if entry.topic == _INFO else "salary"
        if record is None or language not in record[field]:
            return None
        return knowledge.fill(record[field][language], language, **_pay(record, language))
    if entry.topic == _WHERE:
        place = knowledge.records["places"].get(tracker.get_slot("place") or "")
        return knowledge.fill(place["answer"][language], language) if place and language in place["answer"] else None
    return None


def _pins(knowledge: Knowledge, entry: Entry, tracker: Tracker, language: str) -> list[dict[str, Any]]:
    """Points on the map for a question where a school is: the schools in that place whose spot is known."""
    place = tracker.get_slot("place")
    if entry.topic != _WHERE or not place:
        return []
    return [
        {
            "name": school["name"],
            "address": school["address"][language],
            "latitude": school["latitude"],
            "longitude": school["longitude"],
        }
        for school in knowledge.records["schools"].values()
        if school["place"] == place and "latitude" in school
    ]


def _pay(record: dict[str, Any], language: str) -> dict[str, str]:
    separator = "" if language == "ar" else "."
    names = ("start_low", "start_high", "experienced_low", "experienced_high")
    amounts = (*record["start"], *record["experienced"])
    return {name: f"{amount:,}".replace(",", separator) for name, amount in zip(names, amounts)}


def _topic_buttons(
    knowledge: Knowledge, topics: Iterable[str], language: str, entities: dict[str, str] | None = None
) -> list[Button]:
    """A button for each topic that can be answered in this language: a new one may begin with a few topics."""
    kept = {name: value for name, value in (entities or {}).items() if name in ("occupation", "place")}
    details = json.dumps(kept, separators=(",", ":")) if kept else ""
    return [
        {"title": knowledge.title(topic, language), "payload": f"/{topic}{details}"}
        for topic in topics
        if knowledge.speaks(topic, language)
    ]
