"""`telerhythm data`: what it prints, how it ends; downloads themselves are tested in `archive`."""

from __future__ import annotations

import hashlib
import json
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from archive.catalogue import read_catalogue
from ecg import BadSetting
from telerhythm.cli import app
from telerhythm.commands import data

CATALOGUE = data.CATALOGUE


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A database at a server on this machine, and a catalogue that names it."""
    folder = tmp_path / "site"
    folder.mkdir()
    files = {"RECORDS": b"a\n", "a.hea": b"a 1 250 9\n", "a.dat": b"123456789"}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    sums = [f"{hashlib.sha256(content).hexdigest()} {name}\n" for name, content in files.items()]
    (folder / "SHA256SUMS.txt").write_text("".join(sums))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    entry = {
        "title": "Tiny",
        "address": f"http://127.0.0.1:{server.server_port}/",
        "page": "http://example.org",
        "licence": "CC0",
        "records": 1,
        "size_mb": 0.1,
        "about": "for tests",
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in entry.items()]
    catalogue = tmp_path / "catalogue.toml"
    catalogue.write_text("\n".join(["[tiny]", *lines, "cite = []"]))
    monkeypatch.setattr(data, "CATALOGUE", catalogue)
    monkeypatch.chdir(tmp_path)
    yield folder
    server.shutdown()
    server.server_close()


def run(*words: str):
    return CliRunner().invoke(app, ["data", *words])


def test_get_brings_a_database_into_data(site):
    result = run("get", "tiny")
    assert result.exit_code == 0
    assert result.stdout == "data/tiny: 3 files fetched, 0 there already, 0 missing\n"
    assert Path("data/tiny/a.dat").read_bytes() == b"123456789"
    assert run("get", "tiny").stdout == "data/tiny: 0 files fetched, 3 there already, 0 missing\n"


def test_a_file_that_fails_is_told_with_its_reason_and_the_status_is_1(site):
    (site / "a.dat").write_bytes(b"changed")
    result = run("get", "tiny", "--to", "elsewhere")
    assert result.exit_code == 1
    assert "a.dat: checksum is wrong" in result.stderr
    assert "1 files fetched" in result.stdout
    assert Path("elsewhere/RECORDS").read_text() == ""


@pytest.mark.parametrize(
    ("words", "told"),
    [(("get", "nosuch"), "no database"), (("get", "tiny", "--records", "b"), "no record 'b'")],
)
def test_what_there_is_not_is_wrong_use(site, words, told):
    result = run(*words)
    assert result.exit_code == 2
    assert told in result.stderr


def test_list_tells_every_database_with_its_licence():
    catalogue = read_catalogue(CATALOGUE)
    result = run("list")
    assert result.exit_code == 0
    for name, database in catalogue.items():
        assert name in result.stdout
        assert database.page in result.stdout
    assert json.loads(run("list", "--json").stdout)["mitdb"]["records"] == 48


def test_every_entry_of_the_catalogue_is_at_the_place_that_its_name_says():
    for name, database in read_catalogue(CATALOGUE).items():
        assert database.address.startswith(f"https://physionet.org/files/{name}/")
        assert database.page == database.address.replace("/files/", "/content/")
        assert database.cite
        assert f"`{name}`" in (CATALOGUE.parent / "README.md").read_text()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[x", "not TOML"),
        ("[x]\ntitle = 'X'", "missing about, address"),
        ("[x]\ncolour = 'red'", "not known colour"),
        ("[x]\ntitle = 1\nabout=''\naddress=''\npage=''\nlicence=''\nrecords=1\nsize_mb=1\ncite=[]",
         "title is 1; str is needed"),
        ("[x]\ntitle=''\nabout=''\naddress='ftp://x/'\npage=''\nlicence=''\nrecords=1\nsize_mb=1\n"
         "cite=[]", "no http address"),
    ],
)  # fmt: skip
def test_a_wrong_catalogue_is_told_with_file_and_entry(tmp_path, text, words):
    file = tmp_path / "catalogue.toml"
    file.write_text(text)
    with pytest.raises(BadSetting, match=words) as told:
        read_catalogue(file)
    assert str(file) in str(told.value)
