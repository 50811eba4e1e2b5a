"""The interest test: six questions with buttons, three fitting occupations with why.

The answers so far are the slot `test_answers` ("0-2" is the third option of the first question), so the
test can be interrupted by any question, goes on afterwards, and can be stopped, resumed and repeated.
"""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.knowledge import Knowledge, load

Answers = dict[int, int]  # question -> option, both from 0
_RESULTS = 3


class ActionInterestTest(Action):
    """Starts, continues or finishes the test, depending on what was pressed or asked."""

    def name(self) -> str:
        return "action_interest_test"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        knowledge, language = load(), str(tracker.get_slot("language"))
        intent = tracker.latest_message["intent"]["name"]
        answers = read_answers(tracker)
        if intent == "test_answer":
            answers = {**(answers or {}), **_chosen(knowledge, tracker)}
        elif intent == "test_restart" or answers is None or finished(knowledge, answers):
            answers = {}
        if finished(knowledge, answers):
            _say_result(dispatcher, knowledge, language, answers)
        else:
            intro = None if intent == "test_answer" else "test_again" if answers else "test_intro"
            ask(dispatcher, knowledge, language, answers, intro)
        return [SlotSet("test_answers", _written(answers)), SlotSet("test_paused", False), SlotSet("misunderstood", 0)]


class ActionStopTest(Action):
    """Puts the test away, gives the rule of thumb instead; the answers so far are kept for later."""

    def name(self) -> str:
        return "action_stop_test"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[dict[str, Any]]:
        knowledge, language = load(), str(tracker.get_slot("language"))
        phrase = "test_not_running" if read_answers(tracker) is None else "test_stopped"
        buttons = [{"title": knowledge.title("which_job_fits_me", language), "payload": "/which_job_fits_me"}]
        text = knowledge.phrases[phrase][language] + "\n\n" + knowledge.entries["which_job_fits_me"].answer[language]
        dispatcher.utter_message(text=text, buttons=buttons)
        return [SlotSet("test_paused", True)]


def running(tracker: Tracker) -> bool:
    """A test is waiting for an answer right now."""
    answers = read_answers(tracker)
    return answers is not None and not tracker.get_slot("test_paused") and not finished(load(), answers)


def read_answers(tracker: Tracker) -> Answers | None:
    """The answers so far, None when no test was started."""
    written = tracker.get_slot("test_answers")
    if written is None:
        return None
    return {int(question): int(option) for question, option in (pair.split("-") for pair in written.split())}


def finished(knowledge: Knowledge, answers: Answers) -> bool:
    return len(answers) >= len(_questions(knowledge))


def ask(
    dispatcher: CollectingDispatcher, knowledge: Knowledge, language: str, answers: Answers, intro: str | None = None
) -> None:
    """Put the first question that has no answer yet."""
    number = next(n for n in range(len(_questions(knowledge))) if n not in answers)
    question = _questions(knowledge)[number]
    buttons = [
        {"title": option["title"][language], "payload": f'/test_answer{{"choice":"{number}-{at}"}}'}
        for at, option in enumerate(question["options"])
    ]
    buttons.append({"title": knowledge.phrases["stop_button"][language], "payload": "/test_stop"})
    lead = knowledge.phrases[intro][language] + "\n\n" if intro else ""
    dispatcher.utter_message(text=lead + question["ask"][language], buttons=buttons)


def score(knowledge: Knowledge, answers: Answers) -> list[tuple[str, list[dict[str, str]]]]:
    """The best occupations, each with the reasons (texts per language) that weighed most."""
    points: dict[str, int] = {}
    reasons: dict[str, list[tuple[int, dict[str, str]]]] = {}
    for question, option in sorted(answers.items()):
        chosen = _questions(knowledge)[question]["options"][option]
        for occupation, worth in chosen["points"].items():
            points[occupation] = points.get(occupation, 0) + worth
            reasons.setdefault(occupation, []).append((worth, chosen["why"]))
    best = sorted(points, key=lambda occupation: -points[occupation])[:_RESULTS]
    return [(name, [why for _, why in sorted(reasons[name], key=lambda r: -r[0])[:2]]) for name in best]


def _say_result(dispatcher: CollectingDispatcher, knowledge: Knowledge, language: str, answers: Answers) -> None:
    best = score(knowledge, answers)
    records = knowledge.records["occupations"]
    joiner = {"nl": " en ", "tr": " ve ", "ar": " و"}.get(language, ", ")
    lines = [knowledge.phrases["test_result"][language]]
    for name, reasons in best:
        why = joiner.join(reason[language] for reason in reasons)
        because = knowledge.phrases["test_because"][language].format(why=why)
        lines.append(f"• {records[name]['title'][language]}: {because}")
    lines.append(knowledge.phrases["test_note"][language])
    buttons = [
        {"title": records[name]["title"][language], "payload": f'/occupation_info{{"occupation":"{name}"}}'}
        for name, _ in best
    ]
    buttons.append({"title": knowledge.phrases["restart_button"][language], "payload": "/test_restart"})
    dispatcher.utter_message(text="\n".join(lines), buttons=buttons)


def _chosen(knowledge: Knowledge, tracker: Tracker) -> Answers:
    """The pressed option; nothing when the button is not one of ours."""
    choices = [e["value"] for e in tracker.latest_message.get("entities") or [] if e["entity"] == "choice"]
    try:
        question, option = map(int, choices[0].split("-"))
        _questions(knowledge)[question]["options"][option]
    except (IndexError, ValueError):
        return {}
    return {question: option} if question >= 0 and option >= 0 else {}


def _questions(knowledge: Knowledge) -> list[dict[str, Any]]:
    return list(knowledge.records["interest_test"]["questions"])


def _written(answers: Answers) -> str:
    return " ".join(f"{question}-{option}" for question, option in answers.items())
