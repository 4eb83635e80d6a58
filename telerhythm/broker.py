"""A broker for the demo: mosquitto where it is installed, else amqtt, in a process of its own."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
from pathlib import Path

HOST = "127.0.0.1"


def command(port: int, folder: Path) -> list[str]:
    """What starts a broker that listens on this machine only and keeps its state in `folder`."""
    mosquitto = find_mosquitto()
    if mosquitto is None:
        return [sys.executable, "-m", __name__, str(port)]
    config = folder / "mosquitto.conf"
    config.write_text(_mosquitto_config(port, folder))
    return [mosquitto, "-c", str(config)]


def find_mosquitto() -> str | None:
    """Path of mosquitto; Debian puts it where an ordinary user's PATH does not look."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def _mosquitto_config(port: int, folder: Path) -> str:
    # What the broker acknowledged to a device it must keep, over a restart too: sessions and
    # their queues are written to disk, and no queue is cut short.
    return f"""\
listener {port} {HOST}
allow_anonymous true
persistence true
persistence_location {folder}/
autosave_interval 5
max_queued_messages 0
max_inflight_messages 0
log_dest stderr
log_type error
log_type warning
{"user root" if Path.home() == Path("/root") else ""}
"""


async def _run_amqtt(port: int) -> None:
    from amqtt.broker import Broker

    config = {
        "listeners": {"default": {"type": "tcp", "bind": f"{HOST}:{port}", "max_connections": 0}},
        "plugins": {
            "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True},
        },
    }
    broker = Broker(config)
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    await broker.start()
    await stopped.wait()
    await broker.shutdown()


if __name__ == "__main__":
    asyncio.run(_run_amqtt(int(sys.argv[1])))
