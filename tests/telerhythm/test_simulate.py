"""`telerhythm data simulate`: the committed records are what the command makes."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from archive.read import read_annotations, read_record
from dsp.synth import SCRIPTS
from telerhythm.commands.simulate import simulate

COMMITTED = Path(__file__).parents[2] / "data" / "simulated"


@pytest.fixture
def run():
    app = typer.Typer()
    app.command()(simulate)
    return lambda *words: CliRunner().invoke(app, [str(w) for w in words])


def test_the_command_reproduces_the_committed_records_to_the_bit(run, tmp_path):
    assert run("--out", tmp_path).exit_code == 0
    made = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    kept = {p.name: p.read_bytes() for p in COMMITTED.iterdir()}
    assert sorted(made) == sorted(kept)
    assert [name for name in made if made[name] != kept[name]] == []


def test_the_committed_records_are_small():
    assert sum(p.stat().st_size for p in COMMITTED.iterdir()) < 1_500_000


def test_a_case_at_another_length_rate_and_leads(run, tmp_path):
    words = ("vt", "--out", tmp_path, "--minutes", 2, "--fs", 500, "--leads", "I,V5")
    assert run(*words).exit_code == 0
    record = read_record(tmp_path / "vt")
    assert (record.leads, record.fs_hz, record.n_samples) == (("I", "V5"), 500, 60_000)
    assert "(VT" in read_annotations(tmp_path / "vt").aux


def test_cases_are_listed(run, tmp_path):
    done = run("--list", "--out", tmp_path / "none")
    assert all(name in done.output for name in SCRIPTS)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("words", [("nothing",), ("vt", "--fs", 5), ("vt", "--leads", "X")])
def test_wrong_use_is_said(run, tmp_path, words):
    assert run(*words, "--out", tmp_path).exit_code == 2
