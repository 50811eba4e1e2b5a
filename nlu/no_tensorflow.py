"""Lets Rasa start without TensorFlow: half the time and 260 MB less (docs/decisions/0010).

Rasa imports it for components of its own, whether a model has them or not; ours need none. Here those imports find
modules in which every name is an empty class. A model that does need TensorFlow fails when it is loaded, and says so.
"""

from __future__ import annotations

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_LEFT_OUT = ("tensorflow", "keras")


class TensorFlowNeeded(RuntimeError):
    """A component of the model wants to use TensorFlow."""


def without_tensorflow() -> None:
    """Call before Rasa is imported."""
    sys.meta_path.insert(0, _Finder())


class _Empty(type):
    def __getattr__(cls, name: str) -> Any:
        return _stand_in(name)

    def __call__(cls, *_: Any, **__: Any) -> Any:
        raise TensorFlowNeeded(
            f"a component of this model needs TensorFlow ({cls.__name__}):"
            " take without_tensorflow() out of nlu/service.py, nlu/train.py and nlu/evaluate.py"
        )


class _EmptyModule(ModuleType):
    __path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return _stand_in(name)


class _Finder(MetaPathFinder, Loader):
    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        return ModuleSpec(fullname, self, is_package=True) if fullname.split(".")[0] in _LEFT_OUT else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _EmptyModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing in it."""


def _stand_in(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return _Empty(name, (), {})
