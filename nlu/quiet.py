"""Keeps Rasa and TensorFlow from talking: their debug lines cost time and repeat what people wrote."""

from __future__ import annotations

import logging
import os
import warnings

import structlog


def quiet() -> None:
    """Call before Rasa is imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
    warnings.showwarning = _say_nothing  # filters do not help: libraries set their own
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for name in ("rasa", "rasa_sdk", "tensorflow", "matplotlib"):
        logging.getLogger(name).setLevel(logging.ERROR)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR), cache_logger_on_first_use=True
    )


def _say_nothing(*_: object, **__: object) -> None:
    """Deprecations of libraries that Rasa 3.6 pins; nobody here can act on them."""
