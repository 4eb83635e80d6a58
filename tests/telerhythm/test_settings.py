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


ALARMS = """
[alarms.ward.icu]
age = "neonate"
limits = { high_bpm = 190 }
off = ["irregular"]

[[alarms.receivers]]
name = "station"
email = "station@example.org"
hours = "19:00-07:00"

[[beds]]
ward = "icu"
bed = "2"
patient = "p-18"
device = "hospital/monitor-5"
age = "adult"
limits = { low_bpm = 45, tachycardia_beats = 20 }
off = ["couplet"]
"""


def test_limits_are_those_of_the_age_then_of_the_ward_then_of_the_bed(write):
    settings = load(write(GOOD + ALARMS))
    first, second = settings.beds
    assert settings.limits_of(first).high_bpm == 190
    assert settings.limits_of(first).low_bpm == 100
    # an adult in a ward of neonates: the ward's numbers are not for this patient
    limits = settings.limits_of(second)
    assert (limits.high_bpm, limits.low_bpm, limits.tachycardia_beats) == (120, 45, 20)
    assert [o.kind.value for o in settings.off_at(first)] == ["irregular"]
    assert [o.kind.value for o in settings.off_at(second)] == ["irregular", "couplet"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("high_bpm = 190", "high_bpm = 90"), ["line 14", "alarms.ward.icu", "low_bpm = 100"]),
        (("high_bpm = 190", "hihg_bpm = 90"), ["alarms.ward.icu", "no limit 'hihg_bpm'", "14"]),
        (("low_bpm = 45", "low_bpm = 145"), ["beds.1.limits", "low_bpm = 145", "high_bpm = 120"]),
        (('["irregular"]', '["iregular"]'), ["line 15: alarms.ward.icu.off", "'iregular'"]),
        (('["couplet"]', '["asystole"]'), ["line 29: beds.1.off", "cannot be switched off"]),
        (('["couplet"]', '["coplet"]'), ["line 29: beds.1.off.0", "couplet"]),
        (('"neonate"', '"baby"'), ["alarms.ward.icu.age", "line 13", "'neonate'"]),
        (("19:00-07:00", "19:00-27:00"), ["alarms.receivers.0.hours", "not a time of the day"]),
        (('email = "station@example.org"', 'webhook = "https://x"'), ["needs secret_file"]),
        (('email = "station@example.org"', ""), ["either a webhook or an email"]),
    ],
)
def test_wrong_alarm_settings_are_refused_with_file_line_and_key(write, change, told):
    path = write((GOOD + ALARMS).replace(*change))
    with pytest.raises(BadSetting) as error:
        load(path)
    assert all(word in str(error.value) for word in [*told, str(path)]), str(error.value)


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
