"""The WebSocket at `/live?ward=…`: binary messages are chunks (`ecg.live`), text is about them.

Text messages are JSON: `{"kind": "history", "age_s": …}` stands before each chunk of the time
before the browser came and says how long ago it was received; `{"kind": "state", "broker": bool,
"audible": [[priority, id], …]}` comes at every change and every `BEAT_S`, so that the browser
notices a connection that is dead. `audible` is what asks for a sound.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.websockets import WebSocket, WebSocketDisconnect

from alerts.words import check_word
from dashboard.live import Hub, hub
from dashboard.screens import Screen
from ecg.errors import BadInput

BEAT_S = 2.0
_POLICY_VIOLATION = 1008  # RFC 6455, 7.4.1


async def live(socket: WebSocket) -> None:
    """Serve one browser until it leaves."""
    if not is_same_origin(socket.headers.get("origin"), socket.headers.get("host")):
        await socket.close(_POLICY_VIOLATION, "other origin")
        return
    try:
        ward = check_word(socket.query_params.get("ward"), "ward")
    except BadInput as error:
        await socket.close(_POLICY_VIOLATION, str(error))
        return
    await socket.accept()
    source, screen = hub(), Screen(ward, asyncio.get_running_loop())
    sender = asyncio.create_task(_send(socket, source, screen))
    listener = asyncio.create_task(_listen(socket))
    try:
        await asyncio.wait({sender, listener}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        source.leave(screen)
        for task in (sender, listener):
            task.cancel()
        await asyncio.gather(sender, listener, return_exceptions=True)


def is_same_origin(origin: str | None, host: str | None) -> bool:
    """Whether the page that asks was served here: no other site may read a patient's signal.

    A program that is no browser sends no origin, and is not kept out by this.
    """
    return origin is None or urlsplit(origin).netloc == host


async def _send(socket: WebSocket, source: Hub, screen: Screen) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):  # closed while something was being sent
        for age_s, payload in source.join(screen):
            await socket.send_text(json.dumps({"kind": "history", "age_s": round(age_s, 3)}))
            await socket.send_bytes(payload)
        told, told_s = None, 0.0
        while True:
            now_s = time.monotonic()
            state = {
                "kind": "state",
                "broker": source.is_connected,
                "audible": source.state.audible(screen.ward, now_s),
            }
            if state != told or now_s - told_s >= BEAT_S:
                await socket.send_text(json.dumps(state))
                told, told_s = state, now_s
            for payload in await screen.take(BEAT_S):
                await socket.send_bytes(payload)


async def _listen(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass  # a browser has nothing to say here
