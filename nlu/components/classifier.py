"""The Rasa component that understands: topic, ranking and decision for every message.

Wraps features.py, model.py, safety.py and decision.py. When the decision is not to answer, the intent
becomes `ask_back` or `not_understood`, so that the rules in stories/ choose what to say; what was really
understood stays in the message property `understood`.
"""

from __future__ import annotations

import json
import pickle
from functools import cache
from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.components.concepts import Thesaurus
from nlu.components.decision import ANSWER, Decision, Thresholds, decide, may_hold_two, other_questions
from nlu.components.features import Features
from nlu.components.model import TopicModel
from nlu.components.safety import SafetyDetector
from nlu.components.sentences import questions

UNDERSTOOD = "understood"
_RANKING_LENGTH = 10
_SURE_OF_PART = 0.85
_FILE = "understanding.pickle"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class TopicClassifier(IntentClassifier, GraphComponent):
    """Config: language; folder (nlu/<language>, with thesaurus.yml and calibration.jsonl, both optional);
    thresholds {answer, ask, choice}; safety {cut_off, cut_off_part}."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"language": "nl", "folder": "", "thresholds": {}, "safety": {}}

    def __init__(self, config: dict[str, Any], storage: ModelStorage, resource: Resource) -> None:
        self._config = config
        self._storage = storage
        self._resource = resource
        self._thresholds = Thresholds(**config["thresholds"])
        self._features: Features
        self._model: TopicModel
        self._safety: SafetyDetector

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> TopicClassifier:
        return cls(config, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        examples = [e for e in training_data.intent_examples if e.get(TEXT)]
        language, folder = self._config["language"], Path(self._config["folder"])
        self._features = Features(language, Thesaurus.load(folder / "thesaurus.yml", language))
        matrix = self._features.fit([e.get(TEXT) for e in examples])
        self._model = TopicModel().fit(matrix, [e.get(INTENT) for e in examples])
        apart = _labelled(folder / "calibration.jsonl")
        if apart:
            self._model.calibrate([self._features.one(text) for text, _ in apart], [topic for _, topic in apart])
        with self._storage.write_to(self._resource) as directory:
            (directory / _FILE).write_bytes(pickle.dumps((self._features, self._model)))
        return self._resource

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> TopicClassifier:
        component = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as directory:
            component._features, component._model = pickle.loads((directory / _FILE).read_bytes())
        component._safety = SafetyDetector(component._model.topics, **config["safety"])
        return component

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            text = message.get(TEXT) or ""
            probabilities = cache(self._probabilities)  # sentences are asked for twice
            row = probabilities(text)
            ranking = self._ranking(row)
            alarm = self._safety.alarm(text, row, probabilities)
            decision = decide(ranking, alarm, self._thresholds)
            if may_hold_two(ranking):
                parts = [self._ranking(probabilities(part)) for part in questions(text)]
                decision = other_questions(decision, ranking, parts, _SURE_OF_PART)
            self._write(message, ranking, decision)
        return messages

    def _ranking(self, row: Any) -> list[tuple[str, float]]:
        best = row.argsort()[::-1][:_RANKING_LENGTH]
        return [(self._model.topics[i], float(row[i])) for i in best]

    def _probabilities(self, text: str) -> Any:
        return self._model.probabilities(self._features.one(text))

    def _write(self, message: Message, ranking: list[tuple[str, float]], decision: Decision) -> None:
        intent = decision.topic if decision.kind == ANSWER else decision.kind
        ordered = [{"name": topic, "confidence": p} for topic, p in ranking]
        understood = {
            "decision": decision.kind,
            "topic": decision.topic,
            "confidence": decision.confidence,
            "choices": list(decision.choices),
            "also": list(decision.also),
            "ranking": [{"topic": topic, "confidence": p} for topic, p in ranking],
        }
        message.set(INTENT, {"name": intent, "confidence": decision.confidence}, add_to_output=True)
        message.set(INTENT_RANKING_KEY, ordered, add_to_output=True)
        message.set(UNDERSTOOD, understood, add_to_output=True)


def _labelled(path: Path) -> list[tuple[str, str]]:
    if not path.exists():
        return []
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    return [(row["text"], row["topic"]) for row in rows]
