from benchmarks.rivals.comparing import Measure, where_better

TITLES = {"canongate-worded": "canongate", "plain": "A plain proxy", "slow": "A slow one"}


def test_a_rival_that_is_quicker_is_named_with_both_figures() -> None:
    quick = Measure("takes {} ms", {"canongate-worded": 5.0, "plain": 2.0, "slow": 9.0})
    assert where_better([quick], TITLES, "canongate-worded") == ["**A plain proxy** takes 2.00 ms (canongate 5.00)."]


def test_more_is_better_where_that_is_said() -> None:
    rate = Measure("answers {} a second", {"canongate-worded": 50.0, "plain": 40.0, "slow": 60.0}, more_is_better=True)
    assert where_better([rate], TITLES, "canongate-worded") == [
        "**A slow one** answers 60.0 a second (canongate 50.0)."
    ]


def test_all_that_a_rival_does_better_stands_in_one_sentence_with_what_to_know() -> None:
    measures = [
        Measure("takes {} ms", {"canongate-worded": 5.0, "plain": 2.0}),
        Measure("holds {} MiB", {"canongate-worded": 300, "plain": 100}),
    ]
    assert where_better(measures, TITLES, "canongate-worded", {"plain": "It checks nothing."}) == [
        "**A plain proxy** takes 2.00 ms (canongate 5.00); holds 100 MiB (canongate 300). It checks nothing."
    ]


def test_ways_of_our_own_and_what_was_not_measured_are_left_out() -> None:
    other = Measure("takes {} ms", {"canongate-worded": 5.0, "canongate-exact": 1.0})
    assert where_better([other], {**TITLES, "canongate-exact": "canongate, exact"}, "canongate-worded") == []
    assert where_better([Measure("takes {} ms", {"plain": 1.0})], TITLES, "canongate-worded") == []


def test_equal_is_not_better() -> None:
    assert (
        where_better([Measure("takes {} ms", {"canongate-worded": 5.0, "plain": 5.0})], TITLES, "canongate-worded")
        == []
    )
