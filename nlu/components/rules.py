"""Rasa's RulePolicy with a memory: which rules can apply to a state is worked out once per state.

Rasa compares every rule with the talk at every prediction, twice a turn; with one rule per topic that
was a fifth of a turn. Rules that name the words of a message instead of its topic are not looked for: we have none.
"""

from __future__ import annotations

from typing import Any

from rasa.core.policies.rule_policy import RulePolicy
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker

_MOST_REMEMBERED = 10_000


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=True)
class RememberingRulePolicy(RulePolicy):
    """Same decisions as RulePolicy."""

    def _find_action_from_rules(
        self, tracker: DialogueStateTracker, domain: Domain, use_text_for_last_user_input: bool
    ) -> tuple[str | None, str | None, bool]:
        if use_text_for_last_user_input:
            return None, None, False
        found: tuple[str | None, str | None, bool] = super()._find_action_from_rules(tracker, domain, False)
        return found

    def _get_possible_keys(self, lookup: dict[str, str], states: list[dict[str, Any]]) -> set[str]:
        if not states:
            return set(lookup)
        if not hasattr(self, "_remembered"):
            self._remembered: dict[tuple[int, str], set[str]] = {}
        key = (id(lookup), repr(states[-1]))
        if key not in self._remembered:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = super()._get_possible_keys(lookup, states[-1:])
        return super()._get_possible_keys({rule: lookup[rule] for rule in self._remembered[key]}, states)
