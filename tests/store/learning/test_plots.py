"""The report's pictures: what they show, also in words, and that they can be read on light and on dark screens."""

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from store.calibration import Calibration, calibrate
from store.content import Tolerance
from store.learning.fit import HeldOut, HeldOutKind
from store.learning.plots import coverage_curve, score_histogram
from store.scoring import Limits
from store.trade_off import trade_off
from tests.store.learning.held_out_rows import NONE, corpus, drawn, held_out

IN, NEAR, STRANGE, COUNTER = HeldOutKind
PAPER = {"light": "#fefefe", "dark": "#15181c"}


def calibrated(held: HeldOut, known, rate=0.01) -> Calibration:
    return calibrate(held, known, Tolerance(false_match_rate=rate), contradicts=lambda *_: False)


def pictures(held: HeldOut, known) -> dict[str, str]:
    made = calibrated(held, known)
    return {
        "scores": score_histogram(held, made.limits).decode(),
        "coverage": coverage_curve(trade_off(held, made), made.report).decode(),
    }


@pytest.fixture(scope="module")
def drawings() -> dict[str, str]:
    return pictures(*drawn())


def test_the_same_sentences_give_the_same_pictures(drawings):
    assert pictures(*drawn()) == drawings


@pytest.mark.parametrize("name", ["scores", "coverage"])
def test_pictures_say_in_words_what_they_show_and_hold_nothing_else(drawings, name):
    text = drawings[name]
    assert text.startswith("<svg ")
    assert "<title" in text
    assert "<desc" in text
    for unwanted in ("<script", "metadata", "http-equiv", "@import", "url(http"):
        assert unwanted not in text
    ET.fromstring(text)  # noqa: S314 - our own picture


def test_each_kind_of_sentence_has_a_histogram_of_its_own():
    right, wrong = [(0, 0.95, 0.9, 0)], [(1, 0.6, 0.9, 5)]
    rows = [(IN, 0, right)] * 6 + [(IN, 0, wrong)] * 5 + [(NEAR, 1, right)] * 4 + [(STRANGE, NONE, right)] * 3
    rows += [(COUNTER, 0, right)] * 2 + [(COUNTER, 0, wrong)]
    text = pictures(held_out(rows), corpus(2))["scores"]
    for shown in (
        "phrasings, their own prompt first (6)",
        "phrasings, another prompt first (5)",
        "near misses, no prompt is right (4)",
        "strangers, no prompt is right (3)",
        "counterexamples, the excluded prompt first (2)",
    ):
        assert shown in text


def test_the_names_of_the_limits_stand_above_everything_that_is_drawn(drawings):
    heights = {
        text: float(y) for y, text in re.findall(r'<text [^>]* y="([\d.]+)"[^>]*>([^<]+)</text>', drawings["scores"])
    }
    above = {text: y for text, y in heights.items() if " from 0" in text}
    assert len(above) == 2
    assert max(above.values()) < min(y for text, y in heights.items() if text not in above)


def luminance(colour: str) -> float:
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", ["scores", "coverage"])
def test_every_colour_can_be_read_on_a_light_and_on_a_dark_screen(drawings, name):
    text = drawings[name]
    sheet, drawing = text.split("</style>", 1)
    assert "@media (prefers-color-scheme:dark)" in sheet
    replaced = dict(
        re.findall(r'\[style\*="((?:fill|stroke): #[0-9a-f]{6})"\]\{(?:fill|stroke):(#[0-9a-f]{6})!', sheet)
    )
    used = set(re.findall(r"(?:fill|stroke): #[0-9a-f]{6}", drawing))
    assert used
    assert len(re.findall(r"#[0-9a-f]{6}\b", drawing)) == len(re.findall(r"(?:fill|stroke): #[0-9a-f]{6}\b", drawing))
    for one in used - {f"fill: {PAPER['light']}"}:
        assert contrast(one[-7:], PAPER["light"]) >= 4.5
        assert contrast(replaced[one], PAPER["dark"]) >= 4.5
    assert replaced[f"fill: {PAPER['light']}"] == PAPER["dark"]


def test_the_dots_lie_on_their_lines(drawings):
    # A line is drawn as corners; a marker as a <use> at its centre, after its line.
    drawing = drawings["coverage"].split("</style>", 1)[1]
    lines = re.findall(
        r'<path d="([^"]+)" clip-path="[^"]+" style="fill: none; (?:stroke-dasharray[^"]*)?stroke', drawing
    )
    dots = re.findall(r'<use xlink:href="[^"]+" x="([\d.]+)" y="([\d.]+)" style="fill: #(?:1b7f5c|1f63c2)', drawing)
    corners = [[tuple(map(float, one)) for one in re.findall(r"([\d.]+) ([\d.]+)", line)] for line in lines]
    curves = [line for line in corners if len(line) > 2]
    assert len(curves) == len(dots) == 2
    for (x, y), line in zip(dots, curves, strict=True):
        assert any(is_between((float(x), float(y)), start, end) for start, end in pairwise(line))


def is_between(dot, start, end) -> bool:
    return all(min(a, b) - 0.01 <= at <= max(a, b) + 0.01 for at, a, b in zip(dot, start, end, strict=True))


@pytest.mark.parametrize("rows", [[(IN, 0, [(0, 0.9, 0.9, 0)])], []])
def test_pictures_of_hardly_anything_are_drawn_too(rows):
    assert all(pictures(held_out(rows), corpus(1, 1)).values())


def test_pictures_on_one_page_share_no_name(drawings):
    named = [re.findall(r'<(?:title|desc) id="([^"]+)"', text) for text in drawings.values()]
    assert len({name for names in named for name in names}) == 4
    for names, text in zip(named, drawings.values(), strict=True):
        assert f'aria-labelledby="{" ".join(names)}"' in text


def limits(answer: float, suggest: float) -> Limits:
    return Limits(answer=answer, suggest=suggest, margin=0.0, floor=-1.0, follow_up=2.0)


def test_a_limit_beyond_the_axis_is_drawn_at_its_edge():
    text = score_histogram(drawn()[0], limits(0.99995, 0.0004)).decode()
    assert "answered from 0.99995" in text
    assert "offered from 0.0004" in text


def test_where_no_score_is_enough_no_panel_speaks_of_a_limit_for_answering():
    text = score_histogram(drawn()[0], limits(2.0, 0.2)).decode()
    assert "reach the limit" not in text
    assert "can be offered" in text
    assert "answered from" not in text


def test_a_dot_in_the_corner_is_whole_and_the_edge_of_the_axis_is_not_called_nothing():
    rows = [(IN, 0, [(0, 0.9, 0.9, 0)]), (IN, 1, [(1, 0.9, 0.9, 1)])]
    drawing = pictures(held_out(rows), corpus(2))["coverage"].split("</style>", 1)[1]
    dots = re.findall(r"<g([^>]*)>\s*<use [^>]*style=\"fill: #(?:1b7f5c|1f63c2)", drawing)
    assert len(dots) == 2
    assert not any("clip-path" in group for group in dots)
    assert "\u2264 0.0001</text>" in drawing
    assert not re.search(r">0</text>", drawing)
