"""Runs Rasa's prediction graph node by node, in an order worked out once.

Rasa builds a dask graph anew for every prediction, three times a turn, and formats the whole tracker
for a debug line that nobody reads; for our small graphs that is a quarter of a turn (docs/decisions/0004).
"""

from __future__ import annotations

from graphlib import TopologicalSorter
from typing import Any

from rasa.engine.runner.dask import DaskGraphRunner


class StraightRunner:
    """Takes over the nodes that `runner` has loaded; same `run`, same results."""

    def __init__(self, runner: DaskGraphRunner) -> None:
        self._nodes = runner._instantiated_nodes
        self._schema = runner._graph_schema
        self._orders: dict[tuple[str, ...], list[tuple[str, list[str]]]] = {}

    def run(self, inputs: dict[str, Any], targets: list[str]) -> dict[str, Any]:
        """The output of each target node, by name."""
        done: dict[str, Any] = dict(inputs)
        for name, needs in self._order(tuple(targets)):
            _, done[name] = self._nodes[name](*((need, done[need]) for need in needs))
        return {target: done[target] for target in targets}

    def _order(self, targets: tuple[str, ...]) -> list[tuple[str, list[str]]]:
        if targets not in self._orders:
            nodes = self._schema.minimal_graph_schema(list(targets)).nodes
            needs = {name: list(dict.fromkeys(node.needs.values())) for name, node in nodes.items()}
            order = TopologicalSorter(needs).static_order()
            self._orders[targets] = [(name, needs[name]) for name in order if name in needs]
        return self._orders[targets]
