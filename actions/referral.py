"""The short form for a coach: consent first, then a few questions with buttons, and a summary to send.

The answers so far are the slot `referral` ("consent=yes&topic=debts", URL-encoded), what is being asked is `referral_asks`; so the
form can be interrupted by any question, goes on afterwards, and is gone when it was sent or stopped. A finished form leaves
as {"referral": {...}} beside the messages: the bot saves it, nothing is kept here.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlencode

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.knowledge import SAFETY, Knowledge, load

Answers = dict[str, str]
Button = dict[str, str]
ORDER = ("consent", "topic", "age", "guardian", "area", "language", "reach", "phone", "name", "confirm")
_NO_SUBJECT = ("small_talk", "coach_and_bot", "beyond", "safety")  # groups of topics a request is never about
_PHONE = re.compile(r"\+?[\d\s().-]{9,20}")
_LEAST_DIGITS = 9
_MOST_NAME = 40
_URGENT = "urgent"  # beside the answers: the talk before was about safety
_ADULT_ONLY = ("reach", "phone", "name")  # not asked of somebody under 16 without a parent beside them


class ActionReferral(Action):
    """Starts, continues or finishes the form; while a request is waiting, offers to change or cancel it."""

    def name(self) -> str:
        return "action_referral"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        knowledge, language = load(), str(tracker.get_slot("language"))
        intent, situation = tracker.latest_message["intent"]["name"], tracker.get_slot("situation")
        if intent == "talk_to_coach" and situation == "none":
            _say_topic(dispatcher, knowledge, language, "talk_to_coach")
            return [SlotSet("last_topic", "talk_to_coach"), SlotSet("misunderstood", 0)]
        if intent == "talk_to_coach" and situation == "waiting":
            _say(dispatcher, knowledge, language, "waiting", _manage(knowledge, language))
            return [SlotSet("misunderstood", 0)]
        answers = read(tracker)
        if intent == "referral_answer":
            answers = _with_choice(answers or {}, tracker)
        elif intent == "referral_change" or answers is None:
            answers = {_URGENT: "yes"} if tracker.get_slot("last_topic") in SAFETY else {}
        return _go_on(dispatcher, knowledge, language, tracker, answers, intent == "talk_to_coach" and bool(answers))


class ActionStopReferral(Action):
    """Throws the form away."""

    def name(self) -> str:
        return "action_stop_referral"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        _say(dispatcher, load(), str(tracker.get_slot("language")), "stopped")
        return _cleared()


class ActionCancelReferral(Action):
    """A request that is waiting can be changed or cancelled here; without one there is nothing to cancel."""

    def name(self) -> str:
        return "action_cancel_referral"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        knowledge, language = load(), str(tracker.get_slot("language"))
        if running(tracker):
            _say(dispatcher, knowledge, language, "stopped")
            return _cleared()
        if tracker.get_slot("situation") == "waiting":
            _say(dispatcher, knowledge, language, "waiting", _manage(knowledge, language))
        else:
            _say_topic(dispatcher, knowledge, language, "cancel_referral")
        return [SlotSet("last_topic", "cancel_referral"), SlotSet("misunderstood", 0)]


def running(tracker: Tracker) -> bool:
    """The form waits for an answer right now."""
    return bool(tracker.get_slot("referral_asks"))


def read(tracker: Tracker) -> Answers | None:
    """The answers so far, None when no form was started."""
    written = tracker.get_slot("referral")
    return None if written is None else dict(parse_qsl(written, keep_blank_values=True))


def ask_again(dispatcher: CollectingDispatcher, knowledge: Knowledge, language: str, tracker: Tracker) -> None:
    """After an interruption: put the same question once more."""
    lead = knowledge.records["referral_phrases"]["again"][language] + "\n\n"
    _ask(dispatcher, knowledge, language, str(tracker.get_slot("referral_asks")), read(tracker) or {}, tracker, lead)


def typed_answer(asks: str, text: str, topic: str, sure: bool) -> str | None:
    """What was typed, as an answer to the question that is open; None when it is something else, such as a question.

    `topic` is what the text means by itself, `sure` whether that is certain.
    """
    words = text.strip()
    if topic in SAFETY and sure:
        return None
    if asks in ("consent", "confirm") and topic in ("affirm", "deny") and sure:
        return {"consent": {"affirm": "yes", "deny": "no"}, "confirm": {"affirm": "send", "deny": "stop"}}[asks][topic]
    if asks == "age" and (found := re.fullmatch(r"\D{0,12}(\d{1,2})\D{0,12}", words)):
        return _age_group(int(found.group(1)))
    if asks == "phone":
        return words if _is_phone(words) or (words and words[0] in "+0123456789") else None
    if asks == "name":
        if topic == "deny" and sure:
            return "skip"
        short = len(words) <= _MOST_NAME and len(words.split()) <= 4 and "?" not in words and "؟" not in words
        return words if words and short and not (sure and len(words.split()) > 2) else None
    return None


def _go_on(
    dispatcher: CollectingDispatcher,
    knowledge: Knowledge,
    language: str,
    tracker: Tracker,
    answers: Answers,
    resumed: bool,
) -> list[dict[str, Any]]:
    """The next question, or the end."""
    if answers.get("consent") == "no" or answers.get("guardian") == "nobody":
        _say(dispatcher, knowledge, language, "refused" if answers.get("consent") == "no" else "alone")
        return _cleared()
    if answers.get("confirm") == "send":
        dispatcher.utter_message(json_message={"referral": _result(answers, tracker)})
        return _cleared()
    if answers.get("confirm") == "stop":
        _say(dispatcher, knowledge, language, "stopped")
        return _cleared()
    if answers.get("confirm") == "again":
        answers = {field: value for field, value in answers.items() if field in ("consent", _URGENT)}
    lead = knowledge.records["referral_phrases"]["again"][language] + "\n\n" if resumed else ""
    if answers.pop("phone_problem", None):
        lead = knowledge.records["referral_phrases"]["wrong_phone"][language] + "\n\n"
    asks = next(field for field in ORDER if field not in answers and not _left_out(field, answers))
    _ask(dispatcher, knowledge, language, asks, answers, tracker, lead)
    return [SlotSet("referral", urlencode(answers)), SlotSet("referral_asks", asks), SlotSet("misunderstood", 0)]


def _left_out(field: str, answers: Answers) -> bool:
    """Questions that do not apply to this person."""
    young = answers.get("age") == "under_16"
    if field == "guardian":
        return not young
    if field == "phone":
        return not answers.get("reach", "").startswith("call") or (young and answers.get("guardian") != "parent")
    return field in _ADULT_ONLY and young and answers.get("guardian") != "parent"


def _with_choice(answers: Answers, tracker: Tracker) -> Answers:
    """The answers with what was pressed or typed; a button that is not ours changes nothing."""
    choices = [e["value"] for e in tracker.latest_message.get("entities") or [] if e["entity"] == "choice"]
    field, _, value = (choices[0] if choices else "").partition(":")
    if field not in ORDER or not value or ("consent" not in answers and field != "consent"):
        return answers
    if field == "phone" and value == "chat":
        return {**{name: kept for name, kept in answers.items() if name != "phone"}, "reach": "chat"}
    if field == "phone" and not _is_phone(value):
        return {**answers, "phone_problem": "yes"}
    later = ORDER[ORDER.index(field) + 1 :]
    kept = {name: kept for name, kept in answers.items() if name not in later or field in ("area", "language", "name")}
    return {**kept, field: value[:60]}


def _ask(
    dispatcher: CollectingDispatcher,
    knowledge: Knowledge,
    language: str,
    field: str,
    answers: Answers,
    tracker: Tracker,
    lead: str = "",
) -> None:
    question = knowledge.records["referral_form"][field]
    text = lead + question["ask"][language]
    if field == "confirm":
        text += "\n" + _summary(knowledge, language, answers)
    buttons = [_button(field, option["value"], option["title"][language]) for option in question["options"]]
    last = str(tracker.get_slot("last_topic") or "")
    if field == "topic" and last in knowledge.entries and knowledge.entries[last].group not in _NO_SUBJECT:
        buttons.insert(0, _button(field, last, knowledge.title(last, language)))
        buttons = [button for at, button in enumerate(buttons) if at == 0 or button["payload"] != buttons[0]["payload"]]
    if field not in ("consent", "confirm"):
        phrases = knowledge.records["referral_phrases"]
        buttons.append({"title": phrases["stop_button"][language], "payload": "/referral_stop"})
    dispatcher.utter_message(text=text, buttons=buttons)


def _summary(knowledge: Knowledge, language: str, answers: Answers) -> str:
    names = knowledge.records["referral_phrases"]["yours"]
    shown = ((field, _shown(knowledge, language, field, answers[field])) for field in ORDER if field in answers)
    return "\n".join(f"• {names[field][language]}: {text}" for field, text in shown if field in names and text)


def _shown(knowledge: Knowledge, language: str, field: str, value: str) -> str:
    options = {option["value"]: option["title"][language] for option in knowledge.records["referral_form"][field]["options"]}
    if value == "skip":
        return ""
    if field == "topic" and value not in options:
        return knowledge.title(value, language)
    mark = "\u200e" if field == "phone" and language == "ar" else ""  # digits keep their order
    return mark + options.get(value, value)


def _result(answers: Answers, tracker: Tracker) -> dict[str, Any]:
    """What the bot saves; None where nothing was said."""
    given = {field: None if value in ("skip", "") else value for field, value in answers.items()}
    topic = given.get("topic")
    return {
        "topic": None if topic == "other" else topic,
        "age_group": given.get("age"),
        "guardian": given.get("guardian"),
        "area": given.get("area"),
        "language": given.get("language") or str(tracker.get_slot("language")),
        "reach": given.get("reach") or "chat",
        "contact": given.get("phone"),
        "first_name": given.get("name"),
        "urgent": _URGENT in answers,
    }


def _age_group(age: int) -> str | None:
    if not 5 <= age <= 99:
        return None
    return "under_16" if age < 16 else "16-17" if age < 18 else "18-26" if age < 27 else "27+"


def _is_phone(words: str) -> bool:
    return bool(_PHONE.fullmatch(words)) and sum(c.isdigit() for c in words) >= _LEAST_DIGITS


def _button(field: str, value: str, title: str) -> Button:
    return {"title": title, "payload": f'/referral_answer{{"choice":"{field}:{value}"}}'}


def _manage(knowledge: Knowledge, language: str) -> list[Button]:
    phrases = knowledge.records["referral_phrases"]
    return [
        {"title": phrases["change_button"][language], "payload": "/referral_change"},
        {"title": phrases["cancel_button"][language], "payload": "referral:cancel"},
    ]


def _say(
    dispatcher: CollectingDispatcher, knowledge: Knowledge, language: str, phrase: str, buttons: list[Button] | None = None
) -> None:
    text = knowledge.fill(knowledge.records["referral_phrases"][phrase][language], language)
    dispatcher.utter_message(text=text, buttons=buttons or [])


def _say_topic(dispatcher: CollectingDispatcher, knowledge: Knowledge, language: str, topic: str) -> None:
    entry = knowledge.entries[topic]
    buttons = [{"title": knowledge.title(t, language), "payload": f"/{t}"} for t in entry.followups]
    dispatcher.utter_message(text=knowledge.fill(entry.answer[language], language), buttons=buttons)


def _cleared() -> list[dict[str, Any]]:
    return [SlotSet("referral", None), SlotSet("referral_asks", None), SlotSet("misunderstood", 0)]
