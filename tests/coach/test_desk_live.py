"""What other desks hear at once, and what the audit log keeps of it."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.coach.world import World, a_case, found_in, somebody, taken, told

Json = dict[str, Any]


# What other desks are told


async def test_desks_hear_what_happens(world: World) -> None:
    async with world.at_work("Fatima", "Kees", "Dilek", "Bea") as [fatima, kees, dilek, bea]:
        oost = world.coaches["Dilek"].team_id
        async with kees.events() as by_kees, dilek.events() as by_dilek, bea.events() as by_bea:
            person, key = await a_case(world)
            await told(by_kees, "case", key=key)
            await told(by_bea, "case", key=key)
            await fatima.act(key, "take")
            await told(by_kees, "case", key=key)
            await person.says("hallo")
            in_queue = await found_in(kees, "open", key)
            assert in_queue["unread"] == 1
            await told(by_kees, "case", key=key, case=in_queue)  # the case may be told before the line, then once more
            await fatima.act(key, "move", team=oost)
            assert await told(by_kees, "case", key=key, case=None)  # it has left this queue
            assert (await told(by_dilek, "case", key=key))["case"]["state"] == "waiting"
            other, _ = await a_case(world)
            assert other.conversation != person.conversation
            await asyncio.sleep(0.3)
            assert all(data["key"] == key for _, data in [by_dilek.get_nowait() for _ in range(by_dilek.qsize())])


async def test_each_desk_hears_its_own_unread(world: World) -> None:
    async with world.at_work("Fatima", "Kees") as [fatima, kees]:
        person, key = await taken(world, fatima)
        last = await person.says("een")
        await fatima.act(key, "seen", position=last)
        async with fatima.events() as by_fatima, kees.events() as by_kees:
            await person.says("twee")
            for heard, unread in ((by_fatima, 1), (by_kees, 2)):
                case = (await told(heard, "case", key=key))["case"]
                while case["unread"] < unread:  # the case may be told before the line
                    case = (await told(heard, "case", key=key))["case"]
                assert case["unread"] == unread


async def test_desks_see_who_looks_and_who_types(world: World) -> None:
    async with world.at_work("Fatima", "Kees", "Dilek") as [fatima, kees, dilek]:
        _, key = await taken(world, fatima)
        async with fatima.events() as by_fatima, dilek.events() as by_dilek:
            async with kees.events() as by_kees:
                await fatima.get(f"cases/{key}")
                assert (await told(by_kees, "viewers", key=key))["names"] == ["Fatima"]
                assert (await kees.get(f"cases/{key}"))["viewers"] == ["Fatima"]
                assert await told(by_fatima, "viewers", key=key, names=["Kees"])
                await fatima.act(key, "typing")
                assert (await told(by_kees, "typing"))["who"] == "Fatima"
            assert await told(by_fatima, "viewers", key=key, names=[])  # Kees closed his page
            assert by_dilek.empty()


async def test_desks_hear_of_deliveries(world: World) -> None:
    async with world.at_work("Fatima") as [fatima]:
        _, key = await taken(world, fatima, channel="telegram")
        async with fatima.events() as heard:
            await fatima.get(f"cases/{key}")
            await fatima.act(key, "write", text="Hoi")
            await asyncio.sleep(1.5)
            while not heard.empty():
                heard.get_nowait()
            await world.rows("UPDATE outbox SET outcome = 'sent', closed_at = now() WHERE outcome IS NULL")
            await told(heard, "case", key=key)


# The log


async def test_who_saw_what(world: World) -> None:
    async def log(key: str) -> list[str]:
        rows = await world.rows(
            "SELECT a.coach_id, a.what FROM audit a JOIN referral r ON r.id = a.referral_id WHERE key = :key"
            " ORDER BY a.id",
            key=key,
        )
        names = {coach.id: coach.name for coach in world.coaches.values()}
        return [f"{names.get(row.coach_id, '-')} {row.what}" for row in rows]

    async with world.at_work("Kees", "Dilek") as [kees, dilek]:
        _, key = await a_case(world)
        other = somebody(world)
        second = await other.asks()
        await kees.get(f"cases/{key}")
        await kees.get(f"cases/{key}")  # refreshed
        await kees.get(f"cases/{key}?after=1")
        await dilek.get(f"cases/{key}", status=404)
        assert await log(key) == ["- requested", "Kees opened"]
        await kees.get(f"cases/{second}")
        await kees.get(f"cases/{key}")
        assert (await log(key)).count("Kees opened") == 2
        await kees.act(key, "take")
        await kees.act(key, "write", text="een geheim")
        assert await log(key) == ["- requested", *["Kees opened"] * 2, "Kees taken", "Kees wrote"]


async def test_a_refresh_without_an_opening_is_still_in_the_log(world: World) -> None:
    async with world.at_work("Kees") as [kees]:
        _, key = await a_case(world)
        await kees.get(f"cases/{key}?after=1")
        await kees.get(f"cases/{key}?after=1")
    rows = await world.rows(
        "SELECT what FROM audit a JOIN referral r ON r.id = referral_id WHERE key = :key ORDER BY a.id", key=key
    )
    assert [row.what for row in rows] == ["requested", "opened"]
