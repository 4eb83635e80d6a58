"""The list of alarms on the ward page, and what can be done there."""

from __future__ import annotations

import dataclasses
import re

import pytest
from playwright.sync_api import Locator, Page

from alerts.words import Acknowledge, Alarm, Phase, Priority, decode_command
from tests.dashboard.conftest import WARD, Ward, alarm, pulses, wait_until

pytestmark = [pytest.mark.broker, pytest.mark.usefixtures("screenshot")]


def test_the_list_is_by_urgency_and_counts_what_nobody_has_seen(page: Page, eight: Ward) -> None:
    eight.bed("1", pulses, alarm(Priority.LOW))
    eight.bed("2", pulses, alarm(Priority.HIGH, phase=Phase.ACKNOWLEDGED, by="Anna"))
    eight.bed("3", pulses, alarm(Priority.MEDIUM))
    eight.bed("4", pulses, alarm(Priority.HIGH))
    title = page.locator(".trh-dock-title", has_text="4 active alarms, 3 not acknowledged")
    title.wait_for()
    page.wait_for_function("() => document.querySelectorAll('.alarm').length === 4")
    assert beds_listed(page) == ["Bed 4", "Bed 2", "Bed 3", "Bed 1"]
    assert page.get_by_role("button", name="Acknowledge").count() == 3


def button(page: Page, bed: str) -> Locator:
    return page.locator(".trh-entry", has_text=bed).get_by_role("button", name="Acknowledge")


def beds_listed(page: Page) -> list[str]:
    told = page.locator(".alarm .text").all_inner_texts()
    return [re.sub(r"^(Bed \d).*", r"\1", text) for text in told]


@pytest.mark.parametrize(("typed", "by"), [("Anna Bähr", "Anna Bähr"), ("", "Ward screen")])
def test_acknowledging_sends_the_alarm_and_the_name(
    page: Page, eight: Ward, typed: str, by: str
) -> None:
    eight.commands.clear()
    name = page.get_by_placeholder("Your name")
    name.fill(typed)
    name.press("Enter")
    raised = alarm(Priority.HIGH, number=7)
    eight.bed("6", pulses, raised)
    button(page, "Bed 6").click()
    wait_until(lambda: page.wait_for_timeout(20) or eight.commands)
    topic, payload = eight.commands[0]
    command = decode_command(payload)
    assert topic == f"ward/v1/{WARD}/6/command"
    assert isinstance(command, Acknowledge)
    assert (command.alarm_id, command.by) == (raised.id, by)
    assert page.locator(".st-key-tile-6 .head.high.unseen").count()  # until serve says otherwise


def test_a_press_without_effect_is_sent_again_until_it_has_one(page: Page, eight: Ward) -> None:
    eight.commands.clear()
    raised = alarm(Priority.HIGH, number=8)
    eight.bed("5", pulses, raised)
    button(page, "Bed 5").click()
    wait_until(lambda: page.wait_for_timeout(20) or len(eight.commands) == 2)
    assert {decode_command(payload).alarm_id for _, payload in eight.commands} == {raised.id}
    heard = alarm(Priority.HIGH, number=8, phase=Phase.ACKNOWLEDGED, by="Anna")
    eight.bed("5", pulses, heard)
    button(page, "Bed 5").wait_for(state="detached")
    eight.commands.clear()
    page.wait_for_timeout(4000)
    assert eight.commands == []


def test_labels_and_sentences_are_words_whatever_they_contain(page: Page, eight: Ward) -> None:
    evil = "<img src=x onerror='window.pwned=1'><script>window.pwned=1</script>"
    raised = alarm(Priority.LOW, number=9)
    bad = dataclasses.replace(raised, text=evil)
    eight.bed("7", pulses, bad, label=evil)
    page.locator(".st-key-tile-7 .who span", has_text="<img src=x").wait_for()
    page.locator(".alarm .text", has_text="<script>").wait_for()
    assert page.locator(".head img, .alarm img, .head script, .alarm script").count() == 0
    assert page.evaluate("() => window.pwned === undefined")


def test_what_is_over_and_unseen_is_reset(page: Page, eight: Ward) -> None:
    eight.bed("1", pulses, alarm(Priority.HIGH, phase=Phase.LATCHED))
    page.get_by_role("button", name="Reset").wait_for()


# -- nothing moves under a hand --------------------------------------------------------------------


def middle(target: Locator) -> tuple[float, float]:
    box = target.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def acknowledged(page: Page, ward: Ward) -> str:
    wait_until(lambda: page.wait_for_timeout(20) or ward.commands)
    topic, payload = ward.commands[0]
    command = decode_command(payload)
    assert isinstance(command, Acknowledge)
    return f"{topic.split('/')[3]} {command.alarm_id}"


def worse_comes(page: Page, ward: Ward) -> None:
    """An alarm that belongs to the top of the list, and is known to the page."""
    ward.bed("7", pulses, alarm(Priority.HIGH, number=70))
    page.locator(".trh-news.high", has_text="1 new: !!! Bed 7 asystole").wait_for()


@pytest.fixture
def aimed_at(page: Page, eight: Ward) -> Alarm:
    """The first of two alarms, the pointer upon its button."""
    page.mouse.move(5, 5)
    eight.commands.clear()
    first = alarm(Priority.MEDIUM, number=20)
    eight.bed("2", pulses, first)
    eight.bed("3", pulses, alarm(Priority.LOW, number=30))
    page.locator(".trh-dock-title", has_text="2 active alarms").wait_for()
    page.mouse.move(*middle(button(page, "Bed 2")))
    return first


def test_an_alarm_that_comes_while_somebody_aims_does_not_move_the_button(
    page: Page, eight: Ward, aimed_at: Alarm
) -> None:
    worse_comes(page, eight)
    assert beds_listed(page) == ["Bed 2", "Bed 3", "Bed 7"]
    page.mouse.down()
    page.mouse.up()
    assert acknowledged(page, eight) == f"2 {aimed_at.id}"
    page.mouse.move(5, 5)
    page.wait_for_function(
        "() => document.querySelector('.alarm .text').innerText.includes('Bed 7')"
    )
    assert beds_listed(page) == ["Bed 7", "Bed 2", "Bed 3"]
    assert page.locator(".trh-news").inner_text() == ""


def test_what_counts_is_where_the_finger_went_down(
    page: Page, eight: Ward, aimed_at: Alarm
) -> None:
    page.mouse.down()
    worse_comes(page, eight)
    page.mouse.up()
    assert acknowledged(page, eight) == f"2 {aimed_at.id}"


def test_an_alarm_that_is_over_leaves_its_place_empty_until_the_hand_is_gone(
    page: Page, eight: Ward, aimed_at: Alarm
) -> None:
    eight.bed("2", pulses)
    page.locator(".trh-entry.gone", has_text="Bed 2").wait_for()
    assert beds_listed(page) == ["Bed 2", "Bed 3"]
    page.mouse.down()
    page.mouse.up()
    page.mouse.move(5, 5)
    page.locator(".trh-entry.gone").wait_for(state="detached")
    assert eight.commands == []


def test_a_button_that_has_the_keyboard_stays_where_it_is(page: Page, eight: Ward) -> None:
    page.mouse.move(5, 5)
    eight.commands.clear()
    first = alarm(Priority.MEDIUM, number=21)
    eight.bed("2", pulses, first)
    button(page, "Bed 2").wait_for()
    page.get_by_placeholder("Your name").focus()
    for _ in range(20):
        page.keyboard.press("Tab")
        if button(page, "Bed 2").evaluate("(e) => e === document.activeElement"):
            break
    worse_comes(page, eight)
    page.keyboard.press("Enter")
    assert acknowledged(page, eight) == f"2 {first.id}"
    page.keyboard.press("Shift+Tab")
