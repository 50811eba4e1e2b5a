"""A short run of the crash test; `python -m tests.crash --kills 100` is the long one."""

from __future__ import annotations

from tests.crash.run import run


async def test_nothing_is_lost_when_parts_are_killed() -> None:
    result = await run(kills=8, people=6, seed=4)
    assert result["problems"] == []
    assert result["messages"] > 20 and sum(result["kills"].values()) >= 4
