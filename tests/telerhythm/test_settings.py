"""Settings: a wrong value is refused at start, naming file, key and what is allowed."""

import pytest

from ecg import BadSetting
from telerhythm.settings import load

GOOD = """
[broker]
host = "broker.example"
port = 8883

[[beds]]
ward = "icu"
bed = "1"
patient = "p-17"
device = "hospital/monitor-4"
"""


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "telerhythm.toml"
        path.write_text(text)
        return path

    return write


def test_values_come_from_the_file(write):
    settings = load(write(GOOD))
    assert settings.broker.port == 8883
    assert settings.beds[0].device == "hospital/monitor-4"


def test_without_a_file_there_are_defaults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load().broker.port == 1883
    assert load().beds == ()


def test_the_environment_wins_over_the_file_key_by_key(write, monkeypatch):
    monkeypatch.setenv("TELERHYTHM_BROKER__PORT", "1999")
    settings = load(write(GOOD))
    assert (settings.broker.host, settings.broker.port) == ("broker.example", 1999)


def test_variables_of_other_use_do_not_disturb(write, monkeypatch):
    monkeypatch.setenv("TELERHYTHM_DATA", "/somewhere")
    load(write(GOOD))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("8883", "70000"), ["broker.port", "65535", "70000"]),
        (("8883", '"many"'), ["broker.port", "integer", "many"]),
        (('"1"', '"1/2"'), ["beds.0.bed", "1/2"]),
        (("hospital/monitor-4", "monitor-4"), ["beds.0.device", "monitor-4"]),
        (("host =", "hots ="), ["broker.hots"]),
        (("patient =", "patience ="), ["beds.0.patient"]),
        (("[broker]", "[broker"), ["not TOML"]),
    ],
)
def test_a_wrong_value_is_named(write, change, told):
    path = write(GOOD.replace(*change))
    with pytest.raises(BadSetting) as error:
        load(path)
    assert all(word in str(error.value) for word in [*told, str(path)])


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadSetting, match=r"nothing\.toml: there is no such"):
        load(tmp_path / "nothing.toml")


def test_the_password_is_read_from_its_file_and_not_shown(write, tmp_path):
    (tmp_path / "secret").write_text("hunter2\n")
    settings = load(write(GOOD.replace("port = 8883", f'password_file = "{tmp_path}/secret"')))
    assert settings.broker.password() == "hunter2"
    assert "hunter2" not in repr(settings)


def test_a_password_file_that_cannot_be_read_is_named(write, tmp_path):
    missing = tmp_path / "gone"
    settings = load(write(GOOD.replace("port = 8883", f'password_file = "{missing}"')))
    with pytest.raises(BadSetting, match=r"broker\.password_file: .*gone cannot be read"):
        settings.broker.password()
