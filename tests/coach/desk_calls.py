"""Every call of the desk's API, for tests that try the same on all of them."""

from __future__ import annotations

ACTIONS = (
    *("take", "write", "card", "quick", "pass_on", "move", "give_back", "hand_back", "close", "reopen"),
    *("snooze", "note", "seen", "retry", "template", "typing"),
)
READING = ("me", "queue", "cards?q=x", "quick", "overview", "events")
SCRIPT = "<script>alert(1)</script>"
