"""The SQLite back end: death of the process, other processes, disks that fail."""

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from ecg.clock import NS
from ecg.errors import StoreError
from store.sqlite import SqliteReader, SqliteStore

ALWAYS = (-(2**62), 2**62)

WRITER = """
import sys
import numpy as np
from ecg.findings import BEAT
from store.base import BeatRows, WaveformChunk
from store.sqlite import SqliteStore

store, boot = SqliteStore(sys.argv[1], gather_s=0.005), int(sys.argv[2])
lsb_uv, x = np.ones(1, np.float32), np.arange(250, dtype=np.int16).reshape(1, -1)
for seq in range(10**9):
    beats = np.zeros(1, BEAT)
    beats["t_ns"] = boot * 10**9 + seq
    chunk = WaveformChunk("p1", "w/d", boot, seq, seq, 250.0, ("I",), lsb_uv, x)
    token = store.append([chunk, BeatRows("p1", beats)])
    token.on_durable(lambda token, seq=seq: print(seq, flush=True))
    if seq % 50 == 49:
        token.wait()
"""


def run_writer(path, boot=1):
    command = [sys.executable, "-c", WRITER, str(path), str(boot)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_what_was_durable_is_there_after_kill_9(tmp_path):
    path = tmp_path / "store.sqlite"
    for boot in range(3):
        writer = run_writer(path, boot)
        said = [int(writer.stdout.readline()) for _ in range(120 + 40 * boot)]
        os.kill(writer.pid, signal.SIGKILL)
        said += [int(line) for line in writer.stdout.read().split("\n") if line.strip()]
        writer.wait()
        with SqliteReader(path) as reader:  # also before a writer has opened it again
            assert set(said) <= {c.seq for c in reader.waveform("p1", *ALWAYS) if c.boot == boot}
        with SqliteStore(path) as store:
            seqs = {c.seq for c in store.waveform("p1", *ALWAYS) if c.boot == boot}
            assert set(said) <= seqs
            # whole appends only: a frame and its beat are there together
            beats = store.beats("p1", boot * NS, (boot + 1) * NS)
            assert seqs == set((beats["t_ns"] - boot * NS).tolist())
            assert store.last_frames()["w/d"].seq == max(seqs)


def test_another_process_reads_while_one_writes(tmp_path):
    path = tmp_path / "store.sqlite"
    writer = run_writer(path)
    try:
        writer.stdout.readline()
        with SqliteReader(path) as reader:
            seen = []
            while len(seen) < 5:
                assert writer.stdout.readline(), "the writer died"
                n = reader.beats("p1", *ALWAYS).size
                seen += [n] if not seen or n > seen[-1] else []
            assert seen == sorted(seen)
    finally:
        writer.kill()
        writer.wait()
        writer.stdout.close()


def test_a_reader_in_the_middle_of_a_read_does_not_hold_up_the_writer(tmp_path, rows):
    path = tmp_path / "store.sqlite"
    with SqliteStore(path, gather_s=0.001) as store:
        assert store.append([rows.beats([1, 2, 3])]).wait(5)
        other = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        cursor = other.execute("SELECT t_ns FROM beats")
        cursor.fetchone()
        assert store.append([rows.beats([4])]).wait(1)
        assert len(cursor.fetchall()) == 2  # the reader sees what was there when it began
        other.close()


def test_a_second_writer_is_refused_with_the_first_named(tmp_path):
    first = SqliteStore(tmp_path / "store.sqlite")
    with pytest.raises(StoreError, match=rf"process {os.getpid()} writes"):
        SqliteStore(tmp_path / "store.sqlite")
    first.close()
    SqliteStore(tmp_path / "store.sqlite").close()


def test_a_single_append_waits_for_company_no_longer_than_told(tmp_path, rows):
    with SqliteStore(tmp_path / "store.sqlite", gather_s=0.1) as store:
        began = time.monotonic()
        assert store.append([rows.beats([1])]).wait(5)
        assert time.monotonic() - began >= 0.1
        began = time.monotonic()
        store.append([rows.beats([2])])
        store.flush(5)  # somebody waits: at once
        assert time.monotonic() - began < 0.1


class Disk:
    """Lets this process write so far into any file, and no further."""

    def __init__(self):
        self.before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def full_at(self, n_bytes):
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, self.before[1]))

    def back(self):
        resource.setrlimit(resource.RLIMIT_FSIZE, self.before)


@pytest.fixture
def disk():
    disk = Disk()
    yield disk
    disk.back()


def test_a_disk_that_refuses_fails_tokens_and_is_noticed_when_it_is_back(tmp_path, rows, disk):
    told = []
    path = tmp_path / "store.sqlite"
    with SqliteStore(path, gather_s=0.001, on_trouble=told.append) as store:
        assert store.append([rows.chunk()]).wait(5)
        disk.full_at(path.with_name("store.sqlite-wal").stat().st_size)
        for seq in (1, 2):
            token = store.append([rows.chunk(seq=seq)])
            with pytest.raises(StoreError, match="disk"):
                token.wait(5)
            assert not token.done
        assert len(told) == 1
        assert "disk" in told[0]
        disk.back()
        assert store.append([rows.chunk(seq=3)]).wait(5)
        assert store.append([rows.chunk("p2", "ward/d2")]).wait(5)
        assert told[1:] == [None]
        assert [chunk.seq for chunk in store.waveform("p1", *ALWAYS)] == [0, 3]


def test_a_file_that_somebody_holds_locked_is_said_to_be(tmp_path, rows):
    path = tmp_path / "store.sqlite"
    with SqliteStore(path, gather_s=0.001, busy_s=0.05) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"):
            store.append([rows.beats([1])]).wait(5)
        other.execute("ROLLBACK")
        other.close()
        assert store.append([rows.beats([1])]).wait(5)


def test_too_much_that_waits_is_refused_not_piled_up(tmp_path, rows):
    path = tmp_path / "store.sqlite"
    with SqliteStore(path, gather_s=0.001, busy_s=10, max_waiting=10) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        tokens = []
        with pytest.raises(StoreError, match="10 appends wait"):
            for i in range(1_000):
                tokens.append(store.append([rows.beats([i])]))
                time.sleep(0.001)
        other.execute("ROLLBACK")
        other.close()
        assert all(token.wait(10) for token in tokens)


def test_a_flush_that_takes_too_long_says_so(tmp_path, rows):
    path = tmp_path / "store.sqlite"
    with SqliteStore(path, busy_s=10) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        store.append([rows.beats([1])])
        with pytest.raises(StoreError, match=r"0\.05 s"):
            store.flush(0.05)
        other.execute("ROLLBACK")
        other.close()


def not_sqlite(path):
    path.write_bytes(b"patient,heart rate\n" * 1000)


def another_program(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE notes (text)")
    connection.close()


def a_later_version(path):
    SqliteStore(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


@pytest.mark.parametrize(
    ("make", "says"),
    [(not_sqlite, "not a store"), (another_program, "not a store"), (a_later_version, "99")],
)
def test_files_that_are_no_store_of_ours_are_refused_and_left_alone(tmp_path, make, says):
    path = tmp_path / "store.sqlite"
    make(path)
    before = path.read_bytes()
    for open_it in (SqliteStore, SqliteReader):
        with pytest.raises(StoreError, match=says):
            open_it(path)
    assert path.read_bytes() == before


def test_a_reader_of_nothing_says_so(tmp_path):
    with pytest.raises(StoreError, match="no store"):
        SqliteReader(tmp_path / "store.sqlite")


def test_a_folder_that_cannot_be_made_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="disk refuses"):
        SqliteStore(tmp_path / "file" / "store.sqlite")


def test_damage_inside_the_file_is_an_error_not_a_wrong_answer(tmp_path, rows):
    path = tmp_path / "store.sqlite"
    with SqliteStore(path) as store:
        store.append([rows.chunk(seq=i) for i in range(200)])
    data = bytearray(path.read_bytes())
    data[8192:] = os.urandom(len(data) - 8192)
    path.write_bytes(data)
    with SqliteReader(path) as reader, pytest.raises(StoreError, match="damaged"):
        reader.waveform("p1", *ALWAYS)
