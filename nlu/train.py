"""Trains one language: python -m nlu.train nl OUTPUT.tar.gz

Called by `./tekkie train`, one process per language. Prints one line per stage for the progress
display; the model file appears at once and complete, or not at all.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from nlu.no_tensorflow import without_tensorflow
from nlu.quiet import quiet

ROOT = Path(__file__).parent.parent
STORIES = ["stories/domain.yml", "stories/rules.yml", "stories/stories.yml"]


def train(language: str, output: Path) -> None:
    """Train `language` from the files in the repository into `output` (a .tar.gz)."""
    print("loading", flush=True)
    with tempfile.TemporaryDirectory(dir=output.parent) as folder:
        os.environ["RASA_CACHE_DIRECTORY"] = f"{folder}/cache"  # languages train side by side: not one for all
        from rasa.model_training import train as rasa_train

        print("training", flush=True)
        result = rasa_train(
            domain=STORIES[0],
            config=f"nlu/{language}/config.yml",
            training_files=[f"nlu/{language}/examples", *STORIES[1:]],
            output=folder,
            fixed_model_name="model",
            force_training=True,
        )
        if not result.model:
            raise SystemExit(f"training {language} gave no model")
        Path(result.model).rename(output)
    print("done", flush=True)


if __name__ == "__main__":
    quiet()
    without_tensorflow()
    os.chdir(ROOT)
    train(sys.argv[1], Path(sys.argv[2]).resolve())
