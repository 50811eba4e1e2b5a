"""What follows from a failure: a table of every failure, at the first and the last attempt."""

from __future__ import annotations

import pytest

from bot.deliver import MOST_ATTEMPTS, after
from bot.messages import Failure, NotSent, Outgoing, Reply
from bot.outbox import Sent, Waiting

TABLE: list[tuple[NotSent, int, Sent]] = [
    # the platform was away: again after 1, 2, 4 ... 300 seconds, some hours long, then given up
    (NotSent(Failure.AWAY), 1, Sent(7, None, retry_in=1)),
    (NotSent(Failure.AWAY), 2, Sent(7, None, retry_in=2)),
    (NotSent(Failure.AWAY), 5, Sent(7, None, retry_in=16)),
    (NotSent(Failure.AWAY), 30, Sent(7, None, retry_in=300)),
    (NotSent(Failure.AWAY), MOST_ATTEMPTS - 1, Sent(7, None, retry_in=300)),
    (NotSent(Failure.AWAY), MOST_ATTEMPTS, Sent(7, "failed:away")),
    # too fast, or our account does not work: no fault of the reply, so no attempt of it, however often
    (NotSent(Failure.SLOWER, seconds=8), 1, Sent(7, None, retry_in=8, counted=False)),
    (NotSent(Failure.SLOWER, seconds=8, everyone=True), MOST_ATTEMPTS, Sent(7, None, retry_in=8, counted=False)),
    (NotSent(Failure.ALARM), 1, Sent(7, None, retry_in=60, counted=False)),
    (NotSent(Failure.ALARM), MOST_ATTEMPTS, Sent(7, None, retry_in=60, counted=False)),
    # the person was silent too long: waits for them; has a new address: again at once
    (NotSent(Failure.CLOSED), 1, Sent(7, None, counted=False, parked=True)),
    (NotSent(Failure.CLOSED), MOST_ATTEMPTS, Sent(7, None, counted=False, parked=True)),
    (NotSent(Failure.MOVED, address="8"), 1, Sent(7, None)),
    # will not get better
    (NotSent(Failure.REFUSED), 1, Sent(7, "failed:refused")),
    (NotSent(Failure.BLOCKED), 1, Sent(7, "failed:blocked")),
]


@pytest.mark.parametrize(("problem", "attempts", "wanted"), TABLE)
def test_after_a_failure(problem: NotSent, attempts: int, wanted: Sent) -> None:
    assert after(Waiting(7, 1, "whatsapp", Outgoing("NL.1", Reply("hoi")), attempts), problem) == wanted


def test_no_failure_is_forgotten() -> None:
    assert {problem.failure for problem, _, _ in TABLE} == set(Failure)
