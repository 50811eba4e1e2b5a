"""The recorded updates in tests/payloads/telegram, by name."""

from __future__ import annotations

import json
from pathlib import Path

from tests.fakes.telegram_methods import Json

_FOLDER = Path(__file__).parent.parent / "payloads" / "telegram"
FILES: dict[str, dict[str, Json]] = {
    path.stem: json.loads(path.read_text("utf-8")) for path in sorted(_FOLDER.glob("*.json"))
}
PAYLOADS: dict[str, Json] = {name: update for file in FILES.values() for name, update in file.items()}
POISON = FILES["poison"]
READABLE = {name: update for name, update in PAYLOADS.items() if name not in POISON}
