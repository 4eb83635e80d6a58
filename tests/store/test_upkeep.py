"""Check and backup of a store, from the library and from the command line."""

import os
import threading

import pytest

from ecg.clock import NS
from ecg.errors import BadInput, StoreError
from store.sqlite import SqliteReader, SqliteStore
from store.upkeep import backup, check

ALWAYS = (-(2**62), 2**62)


@pytest.fixture
def path(tmp_path, rows):
    path = tmp_path / "store.sqlite"
    with SqliteStore(path) as store:
        store.append([rows.chunk(seq=i) for i in range(300)])
    return path


def damage(path):
    data = bytearray(path.read_bytes())
    data[8192:] = os.urandom(len(data) - 8192)
    path.write_bytes(data)


def test_a_sound_store_has_nothing_wrong(path):
    assert check(path) == []


def test_damage_is_found(path):
    damage(path)
    assert check(path)


def test_a_backup_is_a_store_of_its_own(path, tmp_path):
    to = tmp_path / "copy.sqlite"
    assert backup(path, to) == to.stat().st_size
    with SqliteReader(path) as one, SqliteReader(to) as other:
        assert one.counts() == other.counts()
        assert other.last_frames() == one.last_frames()
    SqliteStore(to).close()


def test_a_backup_while_somebody_writes_is_of_one_moment(path, tmp_path, rows):
    stop = threading.Event()
    with SqliteStore(path, gather_s=0.001) as store:

        def write():
            i = 0
            while not stop.is_set():
                i += 1
                store.append([rows.chunk(boot=9, seq=i), rows.beats([i])]).wait(5)

        thread = threading.Thread(target=write)
        thread.start()
        try:
            for i in range(5):
                backup(path, tmp_path / f"copy-{i}.sqlite")
        finally:
            stop.set()
            thread.join()
    for i in range(5):
        with SqliteReader(tmp_path / f"copy-{i}.sqlite") as copy:
            frames = [c.seq for c in copy.waveform("p1", *ALWAYS) if c.boot == 9]
            beats = copy.beats("p1", *ALWAYS)["t_ns"] // NS
            assert sorted(frames) == beats.tolist()


def test_a_backup_overwrites_nothing(path, tmp_path):
    to = tmp_path / "precious"
    to.write_text("precious")
    with pytest.raises(BadInput, match="already"):
        backup(path, to)
    assert to.read_text() == "precious"


def test_a_backup_that_cannot_be_written_leaves_nothing(path, tmp_path):
    with pytest.raises(StoreError):
        backup(path, tmp_path / "no such folder" / "copy.sqlite")
    assert not (tmp_path / "no such folder").exists()


def test_a_backup_of_a_damaged_store_is_refused(path, tmp_path):
    damage(path)
    with pytest.raises(StoreError):
        backup(path, tmp_path / "copy.sqlite")
