"""The embedded store: one SQLite file, one writer thread, any number of reading processes."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from ecg.errors import BadInput, StoreError
from store import schema
from store.base import Row, Token
from store.reading import SqliteReader
from store.writing import Transaction

__all__ = ["SqliteReader", "SqliteStore"]

_MAX_GROUP = 2_000  # appends in one commit: keeps a commit short when many wait


class _Job(NamedTuple):
    rows: Sequence[Row]
    token: Token
    taken_s: float


class SqliteStore(SqliteReader):
    """A store in a file, made when it is not there.

    Appends of up to `gather_s` share one commit (group commit): a commit waits for the disk, so a
    thousand patients need few of them. If a commit fails, the tokens of its appends fail and the
    next commit is tried as if nothing had happened: a disk that is back is noticed by itself.

    Parameters
    ----------
    path : str or Path
    gather_s : float
        How long the oldest append of a group waits for company.
    max_waiting : int
        Appends that may wait; more are refused (StoreError), so that a slow disk does not fill
        the memory.
    busy_s : float
        How long to wait for another program that holds the file locked.
    on_trouble : callable or None
        Called in the store's thread with a message when a commit fails after one that worked,
        and with None when one works again. Must be quick and must not raise.

    Raises
    ------
    StoreError
        If the file cannot be opened, is no store of this version, or has a writer already.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        gather_s: float = 0.1,
        max_waiting: int = 20_000,
        busy_s: float = 5.0,
        on_trouble: Callable[[str | None], None] | None = None,
    ) -> None:
        path = Path(path)
        self._lock_file = _lock(path)
        try:
            self._writing = schema.open_for_writing(path, busy_s)
            super().__init__(path)
        except StoreError:
            self._lock_file.close()
            raise
        self._transaction = Transaction(self._writing)
        self._gather_s = gather_s
        self._max_waiting = max_waiting
        self._on_trouble = on_trouble
        self._in_trouble = False
        self._jobs: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._hurry = False
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def __enter__(self) -> SqliteStore:
        return self

    def append(self, rows: Sequence[Row]) -> Token:
        """Take rows; they are durable, all together, when the token is done.

        Raises
        ------
        StoreError
            If too much is waiting already, or the store is closed: nothing was taken.
        """
        if len(self._jobs) >= self._max_waiting:
            raise StoreError(
                f"{self.path}: {self._max_waiting} appends wait already: the disk is too slow or"
                " refuses"
            )
        return self._take(rows, hurry=False)

    def flush(self, timeout_s: float | None = None) -> None:
        """Wait until all that was appended before is settled (durable, or its token failed).

        Raises
        ------
        StoreError
            If that took longer than `timeout_s`.
        """
        settled = threading.Event()
        self._take((), hurry=True).on_durable(lambda _: settled.set())
        if not settled.wait(timeout_s):
            raise StoreError(f"{self.path}: not written after {timeout_s:g} s")

    def close(self) -> None:
        """Write what waits, then give the file back."""
        with self._changed:
            first, self._closing = not self._closing, True
            self._changed.notify()
        self._thread.join()
        if first:
            super().close()
            self._writing.close()  # the last connection to close moves the WAL into the file
            self._lock_file.close()

    def _take(self, rows: Sequence[Row], hurry: bool) -> Token:
        job = _Job(rows, Token(), time.monotonic())
        with self._changed:
            if self._closing:
                raise StoreError(f"{self.path}: the store is closed")
            self._jobs.append(job)
            self._hurry |= hurry
            # the writer sleeps without a limit only while there is nothing to write
            if hurry or len(self._jobs) in (1, _MAX_GROUP):
                self._changed.notify()
        return job.token

    def _run(self) -> None:
        while group := self._next_group():
            self._commit(group)

    def _next_group(self) -> list[_Job]:
        """Appends to commit together; empty when the store closes."""
        with self._changed:
            while not self._jobs and not self._closing:
                self._changed.wait()
            while self._jobs and not self._hurry and not self._closing:
                left_s = self._jobs[0].taken_s + self._gather_s - time.monotonic()
                if left_s <= 0 or len(self._jobs) >= _MAX_GROUP:
                    break
                self._changed.wait(left_s)
            group = [self._jobs.popleft() for _ in range(min(_MAX_GROUP, len(self._jobs)))]
            self._hurry &= bool(self._jobs)
            return group

    def _commit(self, group: list[_Job]) -> None:
        stored: list[Token] = []
        refused: list[tuple[Token, StoreError]] = []
        trouble: StoreError | None = None
        try:
            self._transaction.begin()
            for job in group:
                try:
                    self._transaction.add(job.rows)
                    stored.append(job.token)
                except (BadInput, TypeError, ValueError, AttributeError, ArithmeticError) as error:
                    # one append that cannot be stored must not cost the others theirs
                    refused.append((job.token, StoreError(f"{self.path}: not stored: {error}")))
            self._transaction.commit()
        except Exception as error:  # whatever it is, the writer must go on for those who come next
            trouble = schema.cause(error, self.path)
            self._roll_back()
        self._tell(trouble)
        for token in stored if trouble is None else [job.token for job in group]:
            token.settle(trouble)
        for token, why in refused:
            token.settle(why)

    def _roll_back(self) -> None:
        try:
            self._transaction.rollback()
        except sqlite3.Error:
            # SQLite has rolled back by itself already (disk full, I/O error)
            return

    def _tell(self, trouble: StoreError | None) -> None:
        changed = self._in_trouble != (trouble is not None)
        self._in_trouble = trouble is not None
        if changed and self._on_trouble is not None:
            self._on_trouble(str(trouble) if trouble else None)


def _lock(path: Path) -> FileIO:
    """Hold the right to write; the system gives it back when this process dies."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = FileIO(f"{path}.lock", "a+")
    except OSError as error:
        raise schema.cause(error, path) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        owner = file.read(20).decode(errors="replace").strip() or "unknown"
        file.close()
        raise StoreError(
            f"{path}: process {owner} writes to this store already; stop it or name another"
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()).encode())
    return file
