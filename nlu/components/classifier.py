"""The Rasa component that understands: topic, ranking and decision for every message.

Wraps model.py, safety.py and decision.py. When the decision is not to answer, the intent becomes
`ask_back` or `not_understood`, so that the rules in stories/ choose what to say; what was really
understood stays in the message property `understood`.
"""

from __future__ import annotations

import pickle
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
from nlu.components.decision import ANSWER, Decision, Thresholds, decide
from nlu.components.features import Features
from nlu.components.model import TopicModel
from nlu.components.safety import SafetyDetector

UNDERSTOOD = "understood"
_RANKING_LENGTH = 10
_FILE = "understanding.pickle"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class TopicClassifier(IntentClassifier, GraphComponent):  # type: ignore[misc]
    """Config: language, thesaurus (path from the repository's root), thresholds {answer, lead, ask, choice}."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"language": "nl", "thesaurus": None, "thresholds": {}}

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
        texts = [e.get(TEXT) for e in examples]
        topics = [e.get(INTENT) for e in examples]
        language = self._config["language"]
        thesaurus = Thesaurus.load(Path(self._config["thesaurus"] or ""), language)
        self._features = Features(language, thesaurus)
        matrix = self._features.fit(texts)
        self._model = TopicModel().fit(matrix, topics, [_writer(e) for e in examples])
        self._safety = SafetyDetector().fit(matrix, topics)
        with self._storage.write_to(self._resource) as folder:
            (folder / _FILE).write_bytes(pickle.dumps((self._features, self._model, self._safety)))
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
        with model_storage.read_from(resource) as folder:
            component._features, component._model, component._safety = pickle.loads((folder / _FILE).read_bytes())
        return component

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            row = self._features.one(message.get(TEXT) or "")
            probabilities = self._model.probabilities(row)
            best = probabilities.argsort()[::-1][:_RANKING_LENGTH]
            ranking = [(self._model.topics[i], float(probabilities[i])) for i in best]
            self._write(message, ranking, decide(ranking, self._safety.alarms(row), self._thresholds))
        return messages

    def _write(self, message: Message, ranking: list[tuple[str, float]], decision: Decision) -> None:
        intent = decision.topic if decision.kind == ANSWER else decision.kind
        ordered = [{"name": topic, "confidence": p} for topic, p in ranking]
        understood = {
            "decision": decision.kind,
            "topic": decision.topic,
            "confidence": decision.confidence,
            "choices": list(decision.choices),
            "ranking": [{"topic": topic, "confidence": p} for topic, p in ranking],
        }
        message.set(INTENT, {"name": intent, "confidence": decision.confidence}, add_to_output=True)
        message.set(INTENT_RANKING_KEY, ordered, add_to_output=True)
        message.set(UNDERSTOOD, understood, add_to_output=True)


def _writer(example: Message) -> str:
    metadata = example.get("metadata") or {}
    return str((metadata.get("intent") or {}).get("writer", "unknown"))
