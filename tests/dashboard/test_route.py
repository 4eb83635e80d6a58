"""The WebSocket `/live`: who is let in, what is sent, and what a slow browser misses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from starlette.websockets import WebSocket

from alerts.words import live_topic
from dashboard import route
from dashboard.live import Hub
from dashboard.screens import MAX_WAITING
from ecg import LiveChunk, decode_live, encode_live

Message = dict[str, Any]


class Browser:
    """The other end of the route: what the server sends is `received`, when it is let to."""

    def __init__(self, query: str = "ward=a", origin: str | None = None) -> None:
        headers = [(b"host", b"ward.example:8501")]
        if origin is not None:
            headers.append((b"origin", origin.encode()))
        self._scope = {
            "type": "websocket",
            "path": "/live",
            "query_string": query.encode(),
            "headers": headers,
        }
        self.received: list[Message] = []
        self.reads = asyncio.Event()  # cleared: a browser that does not read
        self.reads.set()
        self._says: asyncio.Queue[Message] = asyncio.Queue()
        self._says.put_nowait({"type": "websocket.connect"})

    def visit(self) -> asyncio.Task[None]:
        return asyncio.create_task(route.live(WebSocket(self._scope, self._says.get, self._take)))

    def leave(self) -> None:
        self._says.put_nowait({"type": "websocket.disconnect", "code": 1001})

    async def _take(self, message: Any) -> None:
        await self.reads.wait()
        self.received.append(dict(message))

    @property
    def texts(self) -> list[Message]:
        return [json.loads(m["text"]) for m in self.received if m.get("text")]

    @property
    def state(self) -> Message:
        """What was last told of the connection and the sound."""
        states = [t for t in self.texts if t["kind"] == "state"]
        return {k: v for k, v in states[-1].items() if k != "kind"} if states else {}

    @property
    def samples(self) -> list[int]:
        return [decode_live(m["bytes"]).sample for m in self.received if m.get("bytes")]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    made = Hub("127.0.0.1", 1)
    monkeypatch.setattr(route, "hub", lambda: made)
    return made


def signal(hub: Hub, sample: int, ward: str = "a") -> None:
    x = np.zeros((1, 4), np.int16)
    chunk = LiveChunk(ward, "1", 1, sample, 0, 250.0, ("II",), (5.0,), x)
    hub.take(live_topic(ward, "1"), encode_live(chunk))


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.001)


def run(play: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(120):
            await play()

    asyncio.run(bounded())


@pytest.mark.parametrize(
    ("origin", "host", "let_in"),
    [
        ("http://ward.example:8501", "ward.example:8501", True),
        ("https://ward.example:8501", "ward.example:8501", True),
        (None, "ward.example:8501", True),  # a program, no browser
        ("http://evil.example", "ward.example:8501", False),
        ("http://ward.example:9000", "ward.example:8501", False),
        ("http://ward.example:8501.evil.example", "ward.example:8501", False),
        ("null", "ward.example:8501", False),
        ("", "ward.example:8501", False),
    ],
)
def test_only_a_page_of_this_server_may_read(origin: str | None, host: str, let_in: bool) -> None:
    assert route.is_same_origin(origin, host) is let_in


@pytest.mark.parametrize(
    ("query", "origin", "reason"),
    [
        ("ward=a", "http://evil.example", "origin"),
        ("", None, "ward"),
        ("ward=", None, "ward"),
        ("ward=a%2Fb", None, "ward"),
        ("ward=%2B", None, "ward"),
    ],
)
def test_who_is_not_let_in_is_told_why_before_anything_is_sent(
    hub: Hub, query: str, origin: str | None, reason: str
) -> None:
    async def play() -> None:
        browser = Browser(query, origin)
        await browser.visit()
        (answer,) = browser.received
        assert (answer["type"], answer["code"]) == ("websocket.close", 1008)
        assert reason in answer["reason"]

    run(play)


def test_the_past_comes_first_with_its_age_then_the_state_then_what_is_new(hub: Hub) -> None:
    async def play() -> None:
        signal(hub, 0)
        signal(hub, 4)
        browser = Browser(origin="http://ward.example:8501")
        visit = browser.visit()
        await until(lambda: browser.state == {"broker": False, "audible": []})
        signal(hub, 8)
        await until(lambda: len(browser.samples) == 3)
        browser.leave()
        await visit
        assert browser.samples == [0, 4, 8]
        kinds = [t["kind"] for t in browser.texts]
        assert kinds[:3] == ["history", "history", "state"]
        ages = [t["age_s"] for t in browser.texts if t["kind"] == "history"]
        assert all(age >= 0 for age in ages)
        assert ages[0] >= ages[1]

    run(play)


def test_a_ward_nobody_knows_is_quiet_and_told_that_the_line_is_alive(hub: Hub) -> None:
    async def play() -> None:
        signal(hub, 0)
        browser = Browser("ward=unknown")
        visit = browser.visit()
        await until(lambda: browser.texts)
        signal(hub, 4)
        hub._set_connected(True)
        await until(lambda: browser.state == {"broker": True, "audible": []})
        browser.leave()
        await visit
        assert browser.samples == []

    run(play)


def test_a_broker_that_goes_is_told_at_once_not_at_the_next_beat(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(route, "BEAT_S", 3600.0)

    async def play() -> None:
        browser = Browser()
        visit = browser.visit()
        for state in (True, False, True):
            told = len(browser.texts)
            hub._set_connected(state)
            await until(lambda told=told: len(browser.texts) > told)  # type: ignore[misc]
            assert browser.state == {"broker": state, "audible": []}
        browser.leave()
        await visit

    run(play)


def test_the_line_is_shown_to_be_alive_though_nothing_happens(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(route, "BEAT_S", 0.01)

    async def play() -> None:
        browser = Browser()
        visit = browser.visit()
        await until(lambda: len(browser.texts) >= 3)
        browser.leave()
        await visit

    run(play)


def test_a_browser_that_does_not_read_misses_the_oldest_and_delays_nobody(hub: Hub) -> None:
    async def play() -> None:
        slow, quick = Browser(), Browser()
        visits = [slow.visit(), quick.visit()]
        await until(lambda: slow.texts and quick.texts)
        slow.reads.clear()
        signal(hub, 0)
        await until(lambda: quick.samples == [0])
        n = 2 * MAX_WAITING
        for i in range(1, n + 1):
            signal(hub, 4 * i)
            if i % 50 == 0:  # the quick one reads meanwhile
                await until(lambda i=i: quick.samples[-1] == 4 * i)  # type: ignore[misc]
        await until(lambda: quick.samples[-1] == 4 * n)
        assert quick.samples == [4 * i for i in range(n + 1)]
        slow.reads.set()
        await until(lambda: slow.samples and slow.samples[-1] == 4 * n)
        newest = [4 * i for i in range(n - MAX_WAITING + 1, n + 1)]
        assert slow.samples[-MAX_WAITING:] == newest
        assert slow.samples[:-MAX_WAITING] in ([], [0])  # was under way already
        for browser in (slow, quick):
            browser.leave()
        await asyncio.gather(*visits)

    run(play)


def test_a_browser_that_has_left_is_forgotten(hub: Hub) -> None:
    async def play() -> None:
        browser = Browser()
        visit = browser.visit()
        await until(lambda: browser.texts)
        browser.leave()
        await visit
        assert not hub._screens

    run(play)
