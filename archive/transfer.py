"""One file over HTTP: resumed where it broke off, and kept only when its checksum is right."""

from __future__ import annotations

import errno
import http.client
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any, Protocol

from archive.provenance import sha256
from ecg import TelerhythmError

TIMEOUT_S = 30.0
TRIES = 4  # in a row without a byte more
BLOCK = 1 << 16
_TEMPORARY = {408, 425, 429, 500, 502, 503, 504}


class FetchError(TelerhythmError):
    """A file could not be had; the message says which, why, and what to do."""


class Unreachable(FetchError):
    """The server cannot be reached at all: no network, no such host, nothing that answers."""


class DiskTrouble(FetchError):
    """The file cannot be written: disk full, no right to write."""


class Stopped(FetchError):
    """It was told to stop."""


class _Response(Protocol):
    status: int
    headers: Message

    def read(self, amount: int) -> bytes: ...


class _BrokeOff(Exception):
    """The transfer ended early; another try may bring the rest."""


def _no_matter(n_bytes: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Fetcher:
    """How files are fetched.

    Attributes
    ----------
    on_bytes : callable(int)
        Told how many bytes more there are; negative when what was there turned out to be wrong.
    pause_s : float
        Before the second try; twice as long before each further one.
    timeout_s : float
        Longest silence of the server.
    stopped : threading.Event
        Set by another thread: the transfer ends with `Stopped`, what is there is kept.
    """

    on_bytes: Callable[[int], None] = _no_matter
    pause_s: float = 0.5
    timeout_s: float = TIMEOUT_S
    stopped: threading.Event = field(default_factory=threading.Event)

    def fetch(self, url: str, target: Path, checksum: str | None = None) -> None:
        """Bring a file to `target`.

        What has come so far lies in `target.part`: the next call goes on from there (HTTP Range,
        RFC 9110 section 14), or begins anew with a server that has no ranges. `target` itself
        only ever holds the whole file with the right checksum.

        Parameters
        ----------
        url : str
        target : Path
            Its folder is made when it does not exist.
        checksum : str, optional
            SHA-256, hex. Without it nothing is resumed, and only the length is checked.

        Raises
        ------
        FetchError
            If the server has no such file, breaks off again and again, or the checksum is wrong.
        Unreachable, DiskTrouble, Stopped
            Likewise; with these, other files are no better off.
        """
        part = target.with_name(target.name + ".part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if checksum is None:
                part.unlink(missing_ok=True)
            while not self._complete(url, part, checksum):
                pass
            part.replace(target)
        except OSError as error:
            raise _disk_trouble(target, error) from error

    def _complete(self, url: str, part: Path, checksum: str | None) -> bool:
        """Bring the rest; True when all is there and right, False when it must begin anew."""
        had = _size(part)
        self._bring(url, part)
        if checksum is None:
            return True
        found = sha256(part)
        if found == checksum:
            return True
        self.on_bytes(-_size(part))
        part.unlink()
        if had:  # what lay there was of something else, or damaged
            return False
        raise FetchError(
            f"{url}: checksum is wrong: SHA-256 {found}, the list says {checksum}; nothing is "
            "kept. Try again; if it stays so, the file was changed on its way or at the server"
        )

    def _bring(self, url: str, part: Path) -> None:
        """Try until the file has come to its end, or `TRIES` times brought nothing more."""
        tries = 0
        while True:
            before = _size(part)
            try:
                self._try(url, part)
                return
            except (_BrokeOff, Unreachable) as error:
                tries = 1 if _size(part) > before else tries + 1
                if tries >= TRIES:
                    if isinstance(error, Unreachable):
                        raise
                    raise FetchError(
                        f"{url}: broke off {tries} times at byte {_size(part)} ({error}); "
                        "run the command again to go on from there"
                    ) from error
            if self.stopped.wait(self.pause_s * 2 ** (tries - 1)):
                raise Stopped(f"{url}: stopped")

    def _try(self, url: str, part: Path) -> None:
        have = _size(part)
        request = urllib.request.Request(url, headers={"User-Agent": "telerhythm"})
        if have:
            request.add_header("Range", f"bytes={have}-")
        try:
            with urllib.request.urlopen(request, timeout=self.timeout_s) as response:
                self._take(url, response, part, have)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
                return  # it has no byte beyond these: the checksum tells whether they are right
            if error.code in _TEMPORARY:
                raise _BrokeOff(f"HTTP {error.code} {error.reason}") from error
            raise FetchError(f"{url}: {_explain(error.code, error.reason)}") from error
        except urllib.error.URLError as error:
            raise Unreachable(
                f"{url}: the server cannot be reached ({error.reason}); is there a network, or a "
                "proxy to be named in https_proxy?"
            ) from error
        except (http.client.HTTPException, OSError) as error:  # OSError: the network's
            raise _BrokeOff(str(error) or type(error).__name__) from error

    def _take(self, url: str, response: _Response, part: Path, have: int) -> None:
        """Append what comes, or begin anew when the server sends the whole."""
        resumes = response.status == http.HTTPStatus.PARTIAL_CONTENT
        if resumes and not _range_begins_at(response.headers, have):
            raise FetchError(f"{url}: the server sent another range than was asked for")
        if have and not resumes:
            self.on_bytes(-have)
        length = response.headers.get("Content-Length")
        missing = int(length) if length and length.isdecimal() else None
        if not resumes:
            _append(part, b"", "wb")
        while block := response.read(BLOCK):
            if self.stopped.is_set():
                raise Stopped(f"{url}: stopped")
            _append(part, block)
            self.on_bytes(len(block))
            if missing is not None:
                missing -= len(block)
        if missing:  # http.client says nothing of an end that comes too early
            raise _BrokeOff(f"{missing} bytes did not come")


def verify(file: Path, checksum: str) -> bool:
    """Whether a file is there and is what its checksum says."""
    return file.is_file() and sha256(file) == checksum.lower()


def _append(file: Path, block: bytes, mode: str = "ab") -> None:
    try:
        with file.open(mode) as out:
            out.write(block)
    except OSError as error:  # told apart here from those of the network
        raise _disk_trouble(file, error) from error


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _range_begins_at(headers: Any, have: int) -> bool:
    return str(headers.get("Content-Range", "")).startswith(f"bytes {have}-")


def _explain(code: int, reason: str) -> str:
    if code in (http.HTTPStatus.NOT_FOUND, http.HTTPStatus.GONE):
        return f"HTTP {code}: there is no such file at the server"
    if code in (http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN):
        return f"HTTP {code}: the server does not give it out; is it open to everyone?"
    return f"HTTP {code} {reason}"


def _disk_trouble(file: Path, error: OSError) -> DiskTrouble:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskTrouble(
            f"{file}: the disk is full; make room and run the command again: it goes on from here"
        )
    return DiskTrouble(f"{file}: cannot be written: {error.strerror or error}")
