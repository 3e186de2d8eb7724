import pytest

from benchmarks.rivals.rounds import number, over_rounds, percentile, percentiles, spread, told


def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed() -> None:
    values = [float(one) for one in range(100, 0, -1)]
    assert percentiles(values) == {"p50": 50.0, "p95": 95.0, "p99": 99.0}
    assert percentile([3.0], 0.5) == 3.0
    assert percentile([1.0, 2.0, 10.0], 0.5) == 2.0
    assert percentile([1.0, 10.0], 0.99) == 10.0


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_rounds_come_to_their_middle_lowest_and_highest() -> None:
    assert spread([3.0, 1.0, 8.0]) == {"median": 3.0, "low": 1.0, "high": 8.0}
    assert spread([1.0, 2.0]) == {"median": 1.5, "low": 1.0, "high": 2.0}


def test_a_figure_that_a_round_lacks_is_of_the_others() -> None:
    both = over_rounds([{"p50": 1.0, "p99": 5.0}, {"p50": 3.0}])
    assert both["p50"]["median"] == 2.0
    assert both["p99"] == {"median": 5.0, "low": 5.0, "high": 5.0}


@pytest.mark.parametrize(
    ("figure", "said"),
    [(0.0, "0"), (0.274, "0.27"), (0.00142, "0.0014"), (27.35, "27.4"), (273.6, "274"), (8, "8"), (12345.0, "12,345")],
)
def test_figures_have_three_digits_that_count(figure: float, said: str) -> None:
    assert number(figure) == said


def test_tables_name_the_spread_where_there_is_one() -> None:
    assert told({"median": 2.0, "low": 1.0, "high": 4.0}) == "2.00 (1.00 to 4.00)"
    assert told({"median": 2.0, "low": 2.0, "high": 2.0}) == "2.00"
