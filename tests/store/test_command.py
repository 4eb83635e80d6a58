"""`telerhythm store check` and `backup`."""

import pytest
import typer
from typer.testing import CliRunner

from ecg.errors import BadInput, StoreError
from store.sqlite import SqliteReader, SqliteStore
from telerhythm.commands import store as commands

app = typer.Typer()
app.command("check")(commands.check)
app.command("backup")(commands.backup)


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def path(tmp_path, rows):
    path = tmp_path / "store.sqlite"
    with SqliteStore(path) as store:
        store.append([rows.chunk(seq=i) for i in range(200)])
    return path


def test_check_tells_the_rows_of_a_sound_store(path):
    result = run("check", path)
    assert result.exit_code == 0
    assert "sound" in result.stdout
    assert "200" in result.stdout


def test_check_of_a_damaged_store_ends_with_status_1(path):
    data = bytearray(path.read_bytes())
    data[8192:] = bytes(len(data) - 8192)
    path.write_bytes(data)
    result = run("check", path)
    assert result.exit_code == 1
    assert "backup" in result.stderr


def test_check_of_nothing_is_an_error_of_ours(tmp_path):
    assert isinstance(run("check", tmp_path / "nothing").exception, StoreError)


def test_backup_makes_a_copy_that_can_be_read(path, tmp_path):
    to = tmp_path / "copy.sqlite"
    assert run("backup", path, to).exit_code == 0
    with SqliteReader(to) as copy:
        assert copy.counts()["waveform"] == 200
    assert isinstance(run("backup", path, to).exception, BadInput)
