import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from benchmarks.rivals.bars import draw_bars
from benchmarks.rivals.chapters import Plot, Series, Value
from benchmarks.rivals.drawing import LEFT, LEGEND, WIDTH, draw, legend_lines, top_of

PLOT = Plot(
    "Time of a request",
    "ms",
    [
        Series("1 at once", {"canongate": Value(5.0, 4.0, 6.0), "A & <B>": Value(30.0, 20.0, 44.0)}),
        Series("8 at once", {"canongate": Value(50.0, 44.0, 66.0)}),
    ],
    is_logarithmic=True,
)
SVG = "{http://www.w3.org/2000/svg}"


def texts(drawn: str) -> list[str]:
    return [one.text or "" for one in ET.fromstring(drawn).iter(f"{SVG}text")]  # noqa: S314 - what we wrote


def dots(drawn: str) -> dict[str, float]:
    """Where each dot stands, by what it says when it is pointed at."""
    root = ET.fromstring(drawn)  # noqa: S314 - what we wrote
    shapes = [*root.iter(f"{SVG}circle"), *root.iter(f"{SVG}rect")]
    return {one.findtext(f"{SVG}title") or "": float(one.get("cx") or one.get("x") or 0) for one in shapes}


def test_a_plot_names_its_rows_its_series_and_its_unit() -> None:
    assert {"canongate", "A & <B>", "1 at once", "8 at once", "Time of a request (ms)", "ms"} <= set(texts(draw(PLOT)))


def test_each_value_is_told_where_it_is_drawn() -> None:
    told = dots(draw(PLOT))
    assert told["canongate, 1 at once: 5.00 ms (4.00 to 6.00)"] < told["A & <B>, 1 at once: 30.0 ms (20.0 to 44.0)"]
    assert "canongate, 8 at once: 50.0 ms (44.0 to 66.0)" in told


def test_a_logarithmic_axis_parts_decades_alike() -> None:
    values = {str(one): Value(one, one, one) for one in (1.0, 10.0, 100.0)}
    places = sorted(dots(draw(Plot("x", "ms", [Series("", values)], is_logarithmic=True))).values())[-3:]
    assert places[1] - places[0] == pytest.approx(places[2] - places[1], abs=0.2)


def test_light_and_dark_pages_have_their_own_colours() -> None:
    assert "prefers-color-scheme:dark" in draw(PLOT)


def test_a_logarithmic_axis_has_no_zero() -> None:
    with pytest.raises(ValueError, match="no place for 0"):
        draw(replace(PLOT, series=[Series("1", {"canongate": Value(1, 0, 2)})]))


def test_nothing_is_drawn_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        draw(replace(PLOT, series=[]))


def test_a_long_name_stays_inside_the_picture() -> None:
    name = "A contestant with its threshold of 0.75, as in its own examples"
    (text,) = (
        one
        for one in ET.fromstring(draw(Plot("x", "ms", [Series("", {name: Value(1, 1, 1)})]))).iter(f"{SVG}text")  # noqa: S314 - what we wrote
        if one.text == name
    )
    assert float(text.get("x") or 0) == LEFT
    assert float(text.get("textLength") or 0) <= WIDTH - 2 * LEFT or len(name) * 8 < WIDTH - LEFT


def test_five_series_have_five_looks_and_stay_in_their_row() -> None:
    series = [Series(str(kind), {"a": Value(1, 1, 1), "b": Value(1, 1, 1)}) for kind in range(5)]
    drawn = draw(Plot("x", "ms", series))
    assert all(f'class="s{kind}"' in drawn for kind in range(5))
    tops = [float(one.get("y1") or 0) for one in ET.fromstring(drawn).iter(f"{SVG}line") if one.get("class") == "s4"]  # noqa: S314 - what we wrote
    first = [float(one.get("y1") or 0) for one in ET.fromstring(drawn).iter(f"{SVG}line") if one.get("class") == "s0"]  # noqa: S314 - what we wrote
    assert tops[0] + 6 <= first[1], "the last mark of a row reaches the first of the next"


def test_a_name_that_is_too_long_is_made_narrower() -> None:
    drawn = draw(Plot("x", "ms", [Series("", {"a long name " * 10: Value(1, 1, 1)})]))
    assert f'textLength="{WIDTH - 2 * LEFT}"' in drawn


def test_one_series_has_no_legend_and_many_have_as_many_lines_as_they_need() -> None:
    values = {"a": Value(1, 1, 1)}
    one, five = (
        Plot("x", "ms", [Series(f"a series with a name {kind}", values) for kind in range(count)]) for count in (1, 5)
    )
    assert legend_lines(one) == []
    assert [kind for line in legend_lines(five) for kind, _ in line] == [0, 1, 2, 3, 4]
    assert top_of(five) == top_of(one) + LEGEND * len(legend_lines(five))


def test_a_bar_is_parted_into_what_became_of_the_whole() -> None:
    parts = {"right": 60.0, "refused": 30.0, "wrong": 10.0, "none": 0.0}
    plot = Plot("x", "%", [Series(name, {"a": Value(share, share, share)}) for name, share in parts.items()])
    root = ET.fromstring(draw_bars(plot))  # noqa: S314 - what we wrote
    found = {one.findtext(f"{SVG}title"): float(one.get("width") or 0) for one in root.iter(f"{SVG}rect")}
    wide = {name: found.get(f"a, {name}: {share:.1f} %") for name, share in parts.items()}
    assert wide["none"] is None
    assert wide["right"] == pytest.approx(2 * (wide["refused"] or 0), abs=0.3)
    assert wide["right"] == pytest.approx(6 * (wide["wrong"] or 0), abs=1)


def test_bars_of_nothing_are_not_drawn() -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        draw_bars(Plot("x", "%", []))
