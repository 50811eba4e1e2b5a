"""Rasa as a pure function: a state and a message in, messages and the next state out.

Nothing is kept between two calls, so a repeat gives the same result, any process can serve any turn
and a talk can change language half-way. The state is the bounded list of Rasa events.
"""

from __future__ import annotations

import json
import logging
from contextvars import ContextVar
from functools import cache
from typing import Any

from rasa.core.actions import action as rasa_action
from rasa.core.agent import Agent
from rasa.core.channels.channel import CollectingOutputChannel, UserMessage
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, Event, SlotSet, UserUttered
from rasa.shared.core.slots import Slot
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig
from rasa_sdk import Action
from rasa_sdk.executor import ActionExecutor

import actions.answers
import actions.interest_test
import actions.referral
from nlu.runner import StraightRunner

logger = logging.getLogger(__name__)

STATE_VERSION = 1
MOST_STATE_BYTES = 16_384
_TURNS_KEPT = 1
_SENDER = "turn"
_LISTEN = "action_listen"
_SHOWN_ENTITIES = ("occupation", "place", "level", "language")
_failures: ContextVar[list[Exception]] = ContextVar("failures")
_dutch: ContextVar[list[str | None]] = ContextVar("dutch")
_DUTCH = "nl"
_FORM = "referral"
_SITUATIONS = ("none", "free", "waiting")


class BadRequest(Exception):
    """The caller asked for something that does not exist; the message says what."""


class TurnFailed(Exception):
    """An action broke; nothing of the turn may be used."""


class InProcessActions(EndpointConfig):
    """Runs the actions here instead of on an action server; Rasa sees an ordinary endpoint."""

    def __init__(self) -> None:
        super().__init__("in-process", enable_selective_domain=True)
        self._executor = ActionExecutor()
        for module in (actions.answers, actions.interest_test, actions.referral):
            for found in vars(module).values():
                if isinstance(found, type) and found.__module__ == module.__name__ and issubclass(found, Action):
                    self._executor.register_action(found)

    async def request(self, method: str = "post", **arguments: Any) -> Any:
        call = arguments["json"]
        try:
            result = await self._executor.run(call)
            _dutch.get().extend(await self._in_dutch(call, result["responses"]))
            return result
        except Exception as error:
            _failures.get().append(error)  # Rasa would log it and go on without an answer
            raise

    async def _in_dutch(self, call: dict[str, Any], said: list[dict[str, Any]]) -> list[str | None]:
        """The same action once more in Dutch, for coaches; what it would change is thrown away."""
        slots = call["tracker"]["slots"]
        if slots["language"] == _DUTCH:
            return [None] * len(said)
        again = {**call, "tracker": {**call["tracker"], "slots": {**slots, "language": _DUTCH}}}
        return [response["text"] for response in (await self._executor.run(again))["responses"]]


def trim_rasa() -> None:
    """Spares what Rasa does at every turn and needs not be done, with the same results.

    It checks what actions say against a JSON schema, about 17 ms each, though ours are made in this process; it walks
    over all kinds of events for every event; and it copies every slot, five times a turn, by way of pickling.
    """
    rasa_action.RemoteAction._validate_action_result = lambda self, result: True
    Event.resolve_by_type = staticmethod(cache(Event.resolve_by_type))
    Slot.__copy__ = _copied


def _copied(slot: Slot) -> Slot:
    twin = object.__new__(type(slot))
    twin.__dict__.update(slot.__dict__)
    return twin


class Dialogue:
    """One language: its trained model and the dialogue rules."""

    def __init__(self, language: str, model_path: str) -> None:
        self.language = language
        agent = Agent.load(model_path=model_path, action_endpoint=InProcessActions())
        if agent.processor is None:
            raise RuntimeError(f"the model {model_path} cannot be loaded")
        self._processor = agent.processor
        self._processor.graph_runner = StraightRunner(agent.processor.graph_runner)
        self._domain: Domain = agent.processor.domain

    def parse(self, text: str) -> dict[str, Any]:
        """Understanding without dialogue: {topic, confidence, decision, choices, ranking, entities}."""
        return _understood(self._parse(text))

    async def turn(
        self, text: str | None, payload: str | None, state: dict[str, Any] | None, situation: str | None = None
    ) -> dict[str, Any]:
        """One turn: {messages, state, understood, referral}. `payload` ("/topic{...}") is a pressed button.

        `situation` says whether there are coaches and a request is waiting; `referral` is a finished form, or None.
        Raises BadRequest for an unknown payload and TurnFailed when an action broke.
        """
        tracker = self._restore(state)
        tracker.update(SlotSet("situation", situation if situation in _SITUATIONS else "none"), self._domain)
        if payload is not None:
            parsed = self._from_payload(payload)
        else:
            parsed = _as_form_answer(self._parse(text or ""), tracker.get_slot("referral_asks"))
        channel = CollectingOutputChannel()
        failures: list[Exception] = []
        dutch: list[str | None] = []
        tokens = _failures.set(failures), _dutch.set(dutch)
        try:
            tracker.update(_user_event(parsed), self._domain)
            tracker = await self._processor.run_action_extract_slots(channel, tracker)
            await self._answer(channel, tracker)
        finally:
            _failures.reset(tokens[0])
            _dutch.reset(tokens[1])
        if failures:
            raise TurnFailed(repr(failures[0])) from failures[0]
        if not channel.messages:
            raise TurnFailed(f"no answer to topic {parsed['intent']['name']}")
        return {
            "messages": [_message(*pair) for pair in zip(channel.messages, dutch) if not _referral(pair[0])],
            "state": _state(tracker, self._domain),
            "understood": _understood(parsed),
            "referral": next(filter(None, map(_referral, channel.messages)), None),
        }

    async def _answer(self, channel: CollectingOutputChannel, tracker: DialogueStateTracker) -> None:
        """Rasa's prediction loop; listening, which most actions want next, is noted without copying the talk for it."""
        while True:
            action, prediction = self._processor.predict_next_with_tracker_if_should(tracker)
            await self._processor._run_action(action, tracker, channel, self._processor.nlg, prediction)
            if tracker.followup_action == _LISTEN:
                tracker.update(ActionExecuted(_LISTEN), self._domain)
            if tracker.latest_action_name == _LISTEN:
                return

    def _parse(self, text: str) -> dict[str, Any]:
        message = UserMessage(text=text.lstrip("/ "), sender_id=_SENDER)  # "/x" would be a Rasa command
        # parse_message would also compare topics and entities with the whole domain, which training did
        return self._processor._parse_message_with_graph(message, DialogueStateTracker.from_events(_SENDER, []))

    def _from_payload(self, payload: str) -> dict[str, Any]:
        name, brace, rest = payload.removeprefix("/").partition("{")
        try:
            entities = json.loads(brace + rest) if brace else {}
        except ValueError as error:
            raise BadRequest("the payload is not /topic or /topic{...}") from error
        if name not in self._domain.intents or not set(entities) <= set(self._domain.entities):
            raise BadRequest("the payload names an unknown topic or entity")
        return {
            "text": payload,
            "intent": {"name": name, "confidence": 1.0},
            "entities": [{"entity": entity, "value": str(value)} for entity, value in entities.items()],
        }

    def _restore(self, state: dict[str, Any] | None) -> DialogueStateTracker:
        """A tracker as it was; an unknown version or a broken state starts afresh."""
        events: list[Event] = []
        if state and state.get("version") == STATE_VERSION:
            events = [_event(compact) for compact in state.get("events") or []]
        tracker = DialogueStateTracker.from_events(_SENDER, events, self._domain.slots, domain=self._domain)
        if not events:
            tracker.update(ActionExecuted(_LISTEN), self._domain)
        tracker.update(SlotSet("language", self.language), self._domain)
        return tracker


def _user_event(parsed: dict[str, Any]) -> UserUttered:
    return UserUttered(parsed.get("text") or "", parsed["intent"], parsed["entities"], parsed)


def _understood(parsed: dict[str, Any]) -> dict[str, Any]:
    understood = parsed.get("understood") or {
        "topic": parsed["intent"]["name"],
        "confidence": 1.0,
        "decision": "answer",
        "choices": [],
        "ranking": [{"topic": parsed["intent"]["name"], "confidence": 1.0}],
    }
    entities = {e["entity"]: e["value"] for e in reversed(parsed["entities"]) if e["entity"] in _SHOWN_ENTITIES}
    return {**understood, "entities": entities}


def _as_form_answer(parsed: dict[str, Any], asks: str | None) -> dict[str, Any]:
    """What was typed while the form for a coach waits, as its answer; unless it is a question of its own."""
    if not asks:
        return parsed
    understood = parsed["understood"]
    sure = understood["decision"] == "answer"
    value = actions.referral.typed_answer(asks, parsed["text"], understood["topic"], sure)
    if value is None:
        return parsed
    entities = [{"entity": "choice", "value": f"{asks}:{value}"}]
    return {**parsed, "intent": {"name": "referral_answer", "confidence": 1.0}, "entities": entities}


def _referral(message: dict[str, Any]) -> dict[str, Any] | None:
    return (message.get("custom") or {}).get("referral")


def _message(message: dict[str, Any], dutch: str | None) -> dict[str, Any]:
    """{text, buttons, place, dutch}: a place is {name, address, latitude, longitude} or None."""
    buttons = [{"title": b["title"], "payload": b["payload"]} for b in message.get("buttons") or []]
    place = (message.get("custom") or {}).get("place")
    text = f"📍 {place['name']}, {place['address']}" if place else message.get("text") or ""
    return {"text": text, "buttons": buttons, "place": place, "dutch": dutch}


def _state(tracker: DialogueStateTracker, domain: Domain) -> dict[str, Any]:
    """The last few turns without texts and rankings, after the slots that older turns left behind."""
    events = list(tracker.events)
    turns = [i for i, event in enumerate(events) if isinstance(event, UserUttered)]
    start = turns[-_TURNS_KEPT] if len(turns) > _TURNS_KEPT else 0
    gone = {_FORM} if tracker.get_slot(_FORM) is None else set()  # a form that was sent holds a name and a number
    before = {event.key: event.value for event in events[:start] if isinstance(event, SlotSet)}
    slots = [
        SlotSet(slot.name, before[slot.name])
        for slot in domain.slots
        if slot.name not in gone and before.get(slot.name, slot.initial_value) != slot.initial_value
    ]
    loops = [event for event in events[:start] if isinstance(event, ActiveLoop)][-1:]
    head = [ActionExecuted(_LISTEN), *slots, *(loop for loop in loops if loop.name)] if start else []
    kept = [compact for event in (*head, *events[start:]) if (compact := _compact(event))]
    state = {"version": STATE_VERSION, "events": kept}
    if len(json.dumps(state)) > MOST_STATE_BYTES:
        logger.warning("dialogue state over %d bytes, started afresh", MOST_STATE_BYTES)
        return {"version": STATE_VERSION, "events": []}
    return state


def _compact(event: Event) -> dict[str, Any] | None:
    """What the next turn needs of an event; no text of the person is kept."""
    if isinstance(event, UserUttered):
        entities = [{"entity": e["entity"], "value": e["value"]} for e in event.entities]
        return {"event": "user", "intent": event.intent_name, "entities": entities}
    if isinstance(event, ActionExecuted):
        return {"event": "action", "name": event.action_name}
    if isinstance(event, SlotSet):
        return {"event": "slot", "name": event.key, "value": event.value}
    if isinstance(event, ActiveLoop):
        return {"event": "active_loop", "name": event.name}
    return None


def _event(compact: dict[str, Any]) -> Event:
    """The inverse of _compact; Rasa's own deserialiser walks all event classes for every event."""
    kind = compact["event"]
    if kind == "user":
        return UserUttered("", {"name": compact["intent"]}, compact["entities"])
    if kind == "action":
        return ActionExecuted(compact["name"])
    if kind == "slot":
        return SlotSet(compact["name"], compact["value"])
    return ActiveLoop(compact["name"])
