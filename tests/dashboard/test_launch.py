"""How the dashboard is started and what it is told."""

from __future__ import annotations

import subprocess
import sys

import pytest

import dashboard
from dashboard import launch
from ecg.errors import BadSetting


def test_the_command_serves_the_ward_page_where_it_is_told() -> None:
    command = dashboard.command(8600, "0.0.0.0")
    assert command[:5] == [sys.executable, "-m", "streamlit", "run", str(launch.PAGE)]
    assert launch.PAGE.exists()
    assert {"--server.port=8600", "--server.address=0.0.0.0"} <= set(command)


def test_it_listens_on_this_machine_only_unless_told_otherwise() -> None:
    assert "--server.address=127.0.0.1" in dashboard.command(8600)


def test_nothing_is_sent_to_streamlit_and_errors_do_not_show_on_the_ward() -> None:
    command = dashboard.command(8600)
    assert "--browser.gatherUsageStats=false" in command
    assert "--client.showErrorDetails=none" in command


def test_what_the_environment_says_is_what_the_dashboard_reads() -> None:
    variables = dashboard.environment("broker.ward", 1884, "/var/lib/store.sqlite")
    assert launch.broker(variables) == launch.Broker("broker.ward", 1884)
    assert variables[launch.STORE_PATH] == "/var/lib/store.sqlite"


def test_without_a_word_the_broker_is_on_this_machine() -> None:
    assert launch.broker({}) == launch.Broker("127.0.0.1", 1883)


@pytest.mark.parametrize("port", ["", "mqtt", "0", "65536", "-1", "18.83"])
def test_a_port_that_is_none_is_told_by_name(port: str) -> None:
    with pytest.raises(BadSetting, match=r"TELERHYTHM_BROKER_PORT.*1 to 65535"):
        launch.broker({launch.BROKER_PORT: port})


def test_starting_it_does_not_import_streamlit() -> None:
    program = "import dashboard, sys; sys.exit('streamlit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
