"""What waits for a browser: all of it in order, or the newest when the browser is too slow."""

from __future__ import annotations

import asyncio
import threading

from dashboard.screens import Screen


def test_all_that_waits_is_taken_at_once_in_order() -> None:
    async def play() -> list[bytes]:
        screen = Screen("a", asyncio.get_running_loop())
        for payload in (b"1", b"2", b"3"):
            screen.offer(payload)
        return await screen.take(5.0)

    assert asyncio.run(play()) == [b"1", b"2", b"3"]


def test_nothing_comes_when_nothing_waits() -> None:
    async def play() -> list[bytes]:
        return await Screen("a", asyncio.get_running_loop()).take(0.0)

    assert asyncio.run(play()) == []


def test_nothing_is_taken_twice() -> None:
    async def play() -> list[bytes]:
        screen = Screen("a", asyncio.get_running_loop())
        screen.offer(b"1")
        await screen.take(5.0)
        return await screen.take(0.0)

    assert asyncio.run(play()) == []


def test_a_slow_browser_loses_the_oldest_and_the_loss_is_counted() -> None:
    async def play() -> tuple[list[bytes], int]:
        screen = Screen("a", asyncio.get_running_loop(), max_waiting=3)
        for payload in (b"1", b"2", b"3", b"4", b"5"):
            screen.offer(payload)
        return await screen.take(5.0), screen.lost

    assert asyncio.run(play()) == ([b"3", b"4", b"5"], 2)


def test_waking_lets_a_waiting_taker_go_with_nothing() -> None:
    async def play() -> list[bytes]:
        screen = Screen("a", asyncio.get_running_loop())
        taker = asyncio.create_task(screen.take(3600.0))
        await asyncio.sleep(0)
        screen.wake()
        return await asyncio.wait_for(taker, 60.0)

    assert asyncio.run(play()) == []


def test_offers_from_another_thread_arrive_all_and_in_order() -> None:
    async def play() -> list[bytes]:
        screen = Screen("a", asyncio.get_running_loop(), max_waiting=1000)
        wanted = [b"%d" % i for i in range(1000)]
        thread = threading.Thread(target=lambda: [screen.offer(payload) for payload in wanted])
        thread.start()
        got: list[bytes] = []
        while len(got) < len(wanted):
            got += await screen.take(60.0)
        thread.join()
        return got

    assert asyncio.run(play()) == [b"%d" % i for i in range(1000)]


def test_an_offer_after_the_server_has_ended_does_no_harm() -> None:
    async def make() -> Screen:
        return Screen("a", asyncio.get_running_loop())

    screen = asyncio.run(make())
    screen.offer(b"late")
    assert screen.lost == 0
