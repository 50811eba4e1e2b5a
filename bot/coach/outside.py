"""What the desk needs of the channels, as callables that whoever opens the channels hands over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from bot.messages import Outgoing


@dataclass(frozen=True)
class Outside:
    """Every callable takes the channel's name first; None means that no channel can do it.

    `windows`: hours after the person's last message when a channel stops taking free text. `template` sends the
    channel's approved template in the person's language and gives False when there is none; `typing` shows that a coach
    writes; `fetch` gets an attachment by its media id: its mime type and bytes. All three raise NotSent; `fetch` raises
    LookupError for a file the platform no longer has.
    """

    windows: Mapping[str, float] = field(default_factory=dict)
    template: Callable[[str, Outgoing], Awaitable[bool]] | None = None
    typing: Callable[[str, Outgoing], Awaitable[None]] | None = None
    fetch: Callable[[str, str], Awaitable[tuple[str, bytes]]] | None = None
