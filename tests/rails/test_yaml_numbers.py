"""Tests of numbers that YAML reads otherwise than people do: they are refused where they stand."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rails.yaml_text import read_yaml_text

TRAPS = (
    ("0700", "448"),
    ("10:30", "630"),
    ("-10:30", "-630"),
    ("1:30:00", "5400"),
    ("0x1F", "31"),
    ("0b101", "5"),
    ("1_000", "1000"),
    ("10:30.5", "630.5"),
    ("+0017", "15"),
)


@pytest.mark.parametrize(("written", "number"), TRAPS)
def test_a_number_that_yaml_reads_in_its_own_way_is_refused_with_what_to_write(written, number):
    read = read_yaml_text(f"name: desk\nlist:\n  - {written}\n")
    (finding,) = read.findings
    assert (finding.line, finding.column, finding.code, finding.is_error) == (3, 5, "yaml.number", True)
    assert f"`{written}` is read as the number {number}." in finding.message
    assert f'Put it in quotes: "{written}".' in finding.remedy
    assert f"write {number}." in finding.remedy
    assert read.value is None


@pytest.mark.parametrize(("written", "number"), TRAPS)
def test_the_remedy_is_one(written, number):
    assert read_yaml_text(f'time: "{written}"').value == {"time": written}
    assert read_yaml_text(f"time: {number}").value == {"time": float(number)}


@given(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False)))
def test_a_number_as_people_write_it_is_read_as_it_is(number):
    written = yaml.safe_dump({"x": number})
    read = read_yaml_text(written)
    assert read.findings == []
    assert read.value == {"x": number}


@pytest.mark.parametrize("written", ["0", "-3", "0.85", ".5", "1.", "12", "1.5e+3"])
def test_plain_numbers_stay_numbers(written):
    assert read_yaml_text(f"x: {written}").value == {"x": float(written)}


@pytest.mark.parametrize("written", ["1" + ":1" * 100_000, "1" + ":1" * 180 + ".5", "9" * 5000, "0x" + "f" * 5000])
def test_a_number_that_takes_too_long_to_read_is_refused_unread(written):
    (finding,) = read_yaml_text(f"x: {written}").findings
    assert (finding.line, finding.column, finding.code) == (1, 4, "yaml.number")
    assert "more digits than can be read" in finding.message


@pytest.mark.parametrize("written", ["!!bool maybe", '!!int ""', "!!timestamp x", "!!set {a}", "!own x", "! x"])
def test_a_tag_is_refused_where_it_stands(written):
    (finding,) = read_yaml_text(f"x: {written}").findings
    assert (finding.line, finding.column, finding.code) == (1, 4, "yaml.tag")
