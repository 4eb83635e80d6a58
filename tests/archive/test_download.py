"""Downloads against a server on this machine that does what servers and networks do."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.catalogue import Database
from archive.download import download, read_checksums
from archive.find import find_records
from archive.transfer import DiskTrouble, Fetcher, FetchError, Stopped, Unreachable
from ecg import BadRecord


class Server(ThreadingHTTPServer):
    """Gives out `files`; `cuts`, `answers` and `wrong` say what goes wrong, by path."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.cuts: dict[str, list[int]] = {}  # bytes after which each next answer breaks off
        self.answers: dict[str, list[int]] = {}  # status of each next answer
        self.wrong: set[str] = set()  # files with a byte changed
        self.has_ranges = True
        self.asked: list[tuple[str, str | None]] = []  # path, range

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"

    def put(self, files: dict[str, bytes]) -> None:
        """Files, and the list of their checksums."""
        self.files = dict(files)
        sums = "".join(f"{hash_of(content)} {path}\n" for path, content in files.items())
        self.files["SHA256SUMS.txt"] = sums.encode()

    def ranges_of(self, path: str) -> list[str | None]:
        return [asked_range for asked, asked_range in self.asked if asked == path]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        path, asked = self.path.lstrip("/"), self.headers["Range"]
        self.server.asked.append((path, asked))
        answers = self.server.answers.get(path)
        if answers:
            self.send_error(answers.pop(0))
            return
        if path not in self.server.files:
            self.send_error(404)
            return
        content = self.server.files[path]
        if path in self.server.wrong:
            content = bytes([content[0] ^ 1]) + content[1:]
        begin = 0
        if asked and self.server.has_ranges:
            begin = int(asked.removeprefix("bytes=").removesuffix("-"))
            if begin >= len(content):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        cuts = self.server.cuts.get(path)
        end = begin + cuts.pop(0) if cuts else len(content)
        self.wfile.write(content[begin:end])

    def log_message(self, *words: object) -> None:
        pass


def hash_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture
def fetcher() -> Fetcher:
    return Fetcher(pause_s=0.0, timeout_s=5.0)


FILES = {
    "RECORDS": b"100\n101\nmore/m1\n",
    "LICENSE.txt": b"ODC-By",
    "100.hea": b"100 1 360 4\n",
    "100.dat": os.urandom(200_000),
    "100.atr": b"\0\0",
    "101.hea": b"101 1 360 4\n",
    "101.dat": os.urandom(70_000),
    "more/m1.hea": b"m1 1 360 4\n",
    "more/m1.dat": os.urandom(1000),
    "pictures/big one.html": b"<html>",
}


@pytest.fixture
def database(server: Server) -> Database:
    server.put(FILES)
    return Database(
        name="test",
        title="Test",
        address=server.address,
        page="",
        licence="",
        records=3,
        size_mb=0.3,
        about="",
        cite=(),
        exclude=("pictures/*",),
    )


def there(folder: Path) -> dict[str, bytes]:
    """What lies in a folder, without the list of checksums."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and file.name != "SHA256SUMS.txt"
    }


WANTED = {path: content for path, content in FILES.items() if not path.startswith("pictures/")}


# -- a whole database ------------------------------------------------------------------------------


def test_a_database_lies_in_its_folder_as_at_the_server(database, fetcher, tmp_path):
    done = download(database, tmp_path, fetcher=fetcher)
    assert there(tmp_path) == WANTED
    assert (done.fetched, done.kept, done.errors, done.is_complete) == (len(WANTED), 0, {}, True)


def test_what_is_there_and_right_is_not_fetched_again(database, server, fetcher, tmp_path):
    download(database, tmp_path, fetcher=fetcher)
    (tmp_path / "101.dat").write_bytes(b"damaged since")
    server.asked.clear()
    done = download(database, tmp_path, fetcher=fetcher)
    assert (done.fetched, done.kept) == (1, len(WANTED) - 1)
    assert server.asked == [("SHA256SUMS.txt", None), ("101.dat", None)]
    assert there(tmp_path) == WANTED


def test_progress_counts_every_file_and_every_byte(database, server, tmp_path):
    server.cuts["100.dat"] = [1000]
    received, told = [], []
    download(
        database,
        tmp_path,
        fetcher=Fetcher(on_bytes=received.append, pause_s=0.0),
        on_file=lambda path, done, total: told.append((path, done, total)),
    )
    sums = len(server.files["SHA256SUMS.txt"])
    assert sum(received) == sums + sum(len(content) for content in WANTED.values())
    assert sorted(path for path, _, _ in told) == sorted(WANTED)
    assert [done for _, done, _ in told] == list(range(1, len(WANTED) + 1))
    assert {total for _, _, total in told} == {len(WANTED)}


# -- some records ----------------------------------------------------------------------------------


def test_of_some_records_only_their_files_come_and_what_belongs_to_none(
    database, fetcher, tmp_path
):
    done = download(database, tmp_path, ["101", "more/m1"], fetcher=fetcher)
    assert set(there(tmp_path)) == {
        "RECORDS",
        "LICENSE.txt",
        "101.hea",
        "101.dat",
        "more/m1.hea",
        "more/m1.dat",
    }
    assert done.is_complete
    assert [path.name for path in find_records([tmp_path])] == ["101", "m1"]


def test_records_names_those_that_are_there_until_all_are(database, fetcher, tmp_path):
    download(database, tmp_path, ["101"], fetcher=fetcher)
    download(database, tmp_path, ["100"], fetcher=fetcher)
    assert (tmp_path / "RECORDS").read_text() == "100\n101\n"
    download(database, tmp_path, fetcher=fetcher)
    assert (tmp_path / "RECORDS").read_bytes() == FILES["RECORDS"]
    download(database, tmp_path, ["100"], fetcher=fetcher)
    assert (tmp_path / "RECORDS").read_bytes() == FILES["RECORDS"]


def test_a_record_that_there_is_not_is_refused_with_those_that_there_are(
    database, fetcher, tmp_path
):
    with pytest.raises(BadRecord, match=r"no record '999'; there are 100, 101, m1"):
        download(database, tmp_path, ["100", "999"], fetcher=fetcher)
    assert there(tmp_path) == {}


# -- transfers that break off ----------------------------------------------------------------------


def test_a_transfer_that_breaks_off_goes_on_at_that_byte(database, server, fetcher, tmp_path):
    server.cuts["100.dat"] = [70_000, 1]
    assert download(database, tmp_path, fetcher=fetcher).is_complete
    assert server.ranges_of("100.dat") == [None, "bytes=70000-", "bytes=70001-"]
    assert there(tmp_path) == WANTED


def test_without_ranges_it_begins_anew(database, server, fetcher, tmp_path):
    server.has_ranges = False
    server.cuts["100.dat"] = [70_000]
    assert download(database, tmp_path, fetcher=fetcher).is_complete
    assert there(tmp_path) == WANTED


def test_after_four_tries_without_a_byte_more_the_next_run_goes_on(
    database, server, fetcher, tmp_path
):
    server.cuts["100.dat"] = [5000, 0, 0, 0]
    done = download(database, tmp_path, fetcher=fetcher)
    assert list(done.errors) == ["100.dat"]
    assert "broke off 4 times at byte 5000" in done.errors["100.dat"]
    assert "run the command again" in done.errors["100.dat"]
    assert not (tmp_path / "100.dat").exists()
    assert (tmp_path / "101.dat").read_bytes() == FILES["101.dat"]
    server.asked.clear()
    assert download(database, tmp_path, fetcher=fetcher).is_complete
    assert server.ranges_of("100.dat") == ["bytes=5000-"]
    assert there(tmp_path) == WANTED


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=st.binary(min_size=1, max_size=300), cuts=st.lists(st.integers(1, 80), max_size=8))
def test_wherever_it_breaks_off_the_file_is_the_same(server, fetcher, tmp_path, content, cuts):
    server.put({"x.dat": content})
    server.cuts["x.dat"] = list(cuts)
    fetcher.fetch(server.address + "x.dat", tmp_path / "x.dat", hash_of(content))
    assert there(tmp_path) == {"x.dat": content}


def test_a_rest_of_something_else_is_thrown_away(database, server, fetcher, tmp_path):
    (tmp_path / "100.dat.part").write_bytes(b"of another version")
    assert download(database, tmp_path, fetcher=fetcher).is_complete
    assert server.ranges_of("100.dat") == ["bytes=18-", None]
    assert there(tmp_path) == WANTED


@pytest.mark.parametrize(("more", "asked"), [(b"", 1), (b"and more", 2)])
def test_a_rest_that_is_whole_or_longer(database, server, fetcher, tmp_path, more, asked):
    (tmp_path / "100.dat.part").write_bytes(FILES["100.dat"] + more)
    assert download(database, tmp_path, fetcher=fetcher).is_complete
    assert len(server.ranges_of("100.dat")) == asked
    assert there(tmp_path) == WANTED


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_is_busy_is_asked_again(database, server, fetcher, tmp_path, status):
    server.answers["101.dat"] = [status, status]
    server.answers["SHA256SUMS.txt"] = [status]
    assert download(database, tmp_path, fetcher=fetcher).is_complete


def test_told_to_stop_it_keeps_what_it_has(server, tmp_path):
    server.put({"x.dat": os.urandom(300_000)})
    url, checksum = server.address + "x.dat", hash_of(server.files["x.dat"])
    stopped = threading.Event()
    stopping = Fetcher(on_bytes=lambda n: stopped.set(), pause_s=0.0, stopped=stopped)
    with pytest.raises(Stopped):
        stopping.fetch(url, tmp_path / "x.dat", checksum)
    have = (tmp_path / "x.dat.part").stat().st_size
    assert 0 < have < 300_000
    Fetcher().fetch(url, tmp_path / "x.dat", checksum)
    assert server.ranges_of("x.dat") == [None, f"bytes={have}-"]
    assert there(tmp_path) == {"x.dat": server.files["x.dat"]}


# -- what cannot be had ----------------------------------------------------------------------------


def test_a_wrong_byte_is_never_kept_and_stops_no_other_file(database, server, fetcher, tmp_path):
    server.wrong.add("100.dat")
    done = download(database, tmp_path, fetcher=fetcher)
    assert list(done.errors) == ["100.dat"]
    assert "checksum is wrong" in done.errors["100.dat"]
    assert hash_of(FILES["100.dat"]) in done.errors["100.dat"]
    assert set(there(tmp_path)) == set(WANTED) - {"100.dat"}
    assert not done.is_complete
    assert (tmp_path / "RECORDS").read_text() == "101\nmore/m1\n"


@pytest.mark.parametrize(
    ("status", "words"), [(404, "no such file"), (403, "open to everyone"), (400, "HTTP 400")]
)
def test_a_file_that_the_server_refuses_stops_no_other(
    database, server, fetcher, tmp_path, status, words
):
    server.answers["101.hea"] = [status]
    done = download(database, tmp_path, fetcher=fetcher)
    assert list(done.errors) == ["101.hea"]
    assert words in done.errors["101.hea"]
    assert done.errors["101.hea"].startswith(server.address + "101.hea")
    assert set(there(tmp_path)) == set(WANTED) - {"101.hea"}
    assert (tmp_path / "RECORDS").read_text() == "100\nmore/m1\n"


def test_without_a_server_it_says_so(database, server, fetcher, tmp_path):
    server.shutdown()
    server.server_close()
    with pytest.raises(Unreachable, match="cannot be reached"):
        download(database, tmp_path, fetcher=fetcher)


def test_a_host_that_is_not_known_is_told_by_name(fetcher, tmp_path):
    with pytest.raises(Unreachable, match=r"nowhere\.invalid/x"):
        fetcher.fetch("http://nowhere.invalid/x", tmp_path / "x", "0" * 64)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a full disk to order")
def test_a_full_disk_is_told_and_the_rest_not_tried(database, fetcher, tmp_path):
    for path in WANTED:
        part = tmp_path / f"{path}.part"
        part.parent.mkdir(exist_ok=True)
        part.symlink_to("/dev/full")
    done = download(database, tmp_path, fetcher=fetcher)
    assert done.fetched == 0
    assert all("disk is full" in reason for reason in done.errors.values())
    assert 1 <= len(done.errors) <= 4  # those that were under way
    assert done.not_tried == len(WANTED) - 1 - len(done.errors)  # RECORDS is written by itself


def test_a_folder_that_cannot_be_made_is_disk_trouble(server, fetcher, tmp_path):
    server.put({"x": b"x"})
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DiskTrouble, match="cannot be written"):
        fetcher.fetch(server.address + "x", tmp_path / "file" / "x", hash_of(b"x"))


# -- the list of checksums -------------------------------------------------------------------------


def test_a_page_in_place_of_the_list_is_refused(database, server, fetcher, tmp_path):
    server.files["SHA256SUMS.txt"] = b"<html>Please log in</html>"
    with pytest.raises(BadRecord, match=r"line 1: no SHA-256 and path"):
        download(database, tmp_path, fetcher=fetcher)


@pytest.mark.parametrize("path", ["../evil", "/etc/evil", "a/../../evil", "..\\evil"])
def test_a_path_that_leads_out_of_the_folder_is_refused(database, server, fetcher, tmp_path, path):
    server.files["SHA256SUMS.txt"] += f"{hash_of(b'')} {path}\n".encode()
    with pytest.raises(BadRecord, match="leads out of the folder"):
        download(database, tmp_path / "inside", fetcher=fetcher)
    assert set(there(tmp_path)) == set()


def test_a_database_without_records_is_refused(database, server, fetcher, tmp_path):
    server.put({"readme.txt": b""})
    with pytest.raises(BadRecord, match="names no record"):
        download(database, tmp_path, fetcher=fetcher)


def test_a_list_that_is_missing_is_told(database, server, fetcher, tmp_path):
    del server.files["SHA256SUMS.txt"]
    with pytest.raises(FetchError, match=r"SHA256SUMS\.txt: HTTP 404"):
        download(database, tmp_path, fetcher=fetcher)


def test_lists_of_text_and_binary_mode_read_alike(tmp_path):
    file = tmp_path / "sums"
    file.write_text(f"{'a' * 64}  one\n{'B' * 64} *two words\n\n{'c' * 64} d/three\n")
    assert read_checksums(file) == {"one": "a" * 64, "two words": "b" * 64, "d/three": "c" * 64}
