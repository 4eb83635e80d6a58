"""Where training finds its records, and what it says where it does not."""

import pytest

from training.options import parser_of, records


def test_the_folder_given_is_taken_before_the_one_of_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("TELERHYTHM_DATA", str(tmp_path / "other"))
    (tmp_path / "mitdb").mkdir()
    parser = parser_of("learn")
    assert records(parser, parser.parse_args(["--data", str(tmp_path)]), "mitdb") == tmp_path


@pytest.mark.parametrize("data", [None, ""])
def test_without_a_folder_all_databases_are_missing(data, monkeypatch, capsys):
    monkeypatch.delenv("TELERHYTHM_DATA", raising=False)
    if data is not None:
        monkeypatch.setenv("TELERHYTHM_DATA", data)
    parser = parser_of("learn")
    with pytest.raises(SystemExit):
        records(parser, parser.parse_args([]), "mitdb", "nstdb")
    assert "no records of mitdb, nstdb: set TELERHYTHM_DATA" in capsys.readouterr().err


def test_the_database_that_is_missing_is_named(tmp_path, monkeypatch, capsys):
    (tmp_path / "mitdb").mkdir()
    monkeypatch.setenv("TELERHYTHM_DATA", str(tmp_path))
    parser = parser_of("learn")
    with pytest.raises(SystemExit):
        records(parser, parser.parse_args([]), "mitdb", "nstdb")
    assert "no records of nstdb: " in capsys.readouterr().err
