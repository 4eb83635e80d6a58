"""The processes that the demo is made of: started, watched, ended."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ecg.errors import TelerhythmError

HOST = "127.0.0.1"
STOP_TIMEOUT_S = 10.0


class PartDied(TelerhythmError):
    """A process that should run has ended; the message says which and what it last wrote."""


@dataclass(slots=True)
class Part:
    """One process, its standard output and error kept in a file."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def start(
        cls,
        name: str,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str] | None = None,
    ) -> Part:
        """Start a command; its output goes to `folder/name.log`.

        It gets a process group of its own: Ctrl-C at the terminal reaches the demo alone, which
        then ends the parts in the right order.
        """
        log = folder / f"{name}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [*_dying_with_us(), *command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        return cls(name, process, log)

    @property
    def is_alive(self) -> bool:
        """The process runs."""
        return self.process.poll() is None

    def check(self) -> None:
        """Raise `PartDied` unless the process runs."""
        status = self.process.poll()
        if status is not None:
            raise PartDied(f"{self.name} ended with status {status}:\n{self.last_words()}")

    def last_words(self, n_lines: int = 20) -> str:
        """The end of what it wrote."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-n_lines:])

    def stop(self) -> int:
        """Ask it to end, insist after a while; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def wait_for_port(self, port: int, timeout_s: float = 20.0) -> None:
        """Wait until something answers at a port of this machine."""
        self._wait(lambda: _answers(port), timeout_s, f"port {port}")

    def wait_for_line(self, text: str, timeout_s: float = 60.0) -> None:
        """Wait until it has written a text."""
        self._wait(lambda: text in self.log.read_text(errors="replace"), timeout_s, repr(text))

    def _wait(self, condition: Callable[[], bool], timeout_s: float, what: str) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            self.check()
            if time.monotonic() > deadline:
                raise PartDied(
                    f"{self.name}: no {what} within {timeout_s:g} s:\n{self.last_words()}"
                )
            time.sleep(0.02)


def _dying_with_us() -> list[str]:
    """What has the kernel end a part when the demo is killed: setpriv of util-linux, if there."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((HOST, port)) == 0


def free_port(wanted: int) -> int:
    """The first port from `wanted` on that nobody listens at; it is this process's from now on.

    A part that will listen there may need seconds to do so. Until this process ends, another demo
    that is started meanwhile passes over the port.

    Raises
    ------
    PartDied
        If a hundred in a row are taken.
    """
    for port in range(wanted, wanted + 100):
        if _is_free(port) and _claim(port):
            return port
    raise PartDied(f"ports {wanted} to {wanted + 99} of {HOST} are all taken: end some program")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


_claims: list[socket.socket] = []


def _claim(port: int) -> bool:
    """Take a name that only one process can have, and has until it ends; False if it is taken."""
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0telerhythm-port-{port}")  # Linux's names without a file
    except OSError:
        claim.close()
        return False
    _claims.append(claim)
    return True
