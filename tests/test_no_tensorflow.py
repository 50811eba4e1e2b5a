"""The Rasa side starts without TensorFlow; a model that needs it says so instead of answering nonsense."""

from __future__ import annotations

import subprocess

from bot.commands.rasa_side import PYTHON
from bot.settings import ROOT

_SERVICE = "import nlu.service, sys; print('tensorflow.python' in sys.modules)"
_NETWORK = """
from nlu.no_tensorflow import without_tensorflow
without_tensorflow()
import tensorflow as tf
from tensorflow.keras.utils import Sequence
class Network(tf.keras.Model): pass
class Data(Sequence): pass
Network()
"""


def test_the_service_does_not_load_it() -> None:
    assert run(_SERVICE).stdout.strip() == "False"


def test_using_it_says_what_to_do() -> None:
    assert "TensorFlowNeeded: a component of this model needs TensorFlow (Network)" in run(_NETWORK).stderr


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PYTHON, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
