"""Parts of the demo: free ports, processes that die, processes that end."""

import socket
import sys

import pytest

from telerhythm.parts import HOST, Part, PartDied, free_port


def python(tmp_path, code):
    return Part.start("part", [sys.executable, "-c", code], tmp_path)


def test_a_taken_port_is_passed_over():
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        assert port < free_port(port) < port + 100


def test_a_port_that_another_part_will_take_is_passed_over():
    port = free_port(23_000)
    assert free_port(port) != port


def test_a_part_that_dies_is_told_with_its_last_words(tmp_path):
    part = python(tmp_path, "print('out of memory'); raise SystemExit(3)")
    part.process.wait()
    with pytest.raises(PartDied, match=r"(?s)part ended with status 3.*out of memory"):
        part.check()


def test_waiting_for_a_part_that_dies_does_not_hang(tmp_path):
    part = python(tmp_path, "raise SystemExit(1)")
    with pytest.raises(PartDied):
        part.wait_for_line("ready")


def test_a_part_is_ready_when_it_says_so_and_ends_when_asked(tmp_path):
    part = python(tmp_path, "import time; print('ready', flush=True); time.sleep(60)")
    part.wait_for_line("ready")
    part.check()
    assert part.stop() == -15


def test_a_part_that_never_gets_ready_is_told(tmp_path):
    part = python(tmp_path, "import time; time.sleep(60)")
    with pytest.raises(PartDied, match="no 'ready' within 0"):
        part.wait_for_line("ready", timeout_s=0.1)
    part.stop()
