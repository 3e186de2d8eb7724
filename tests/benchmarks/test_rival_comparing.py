from benchmarks.rivals.chapters import Value
from benchmarks.rivals.comparing import Measure, compare, summed_up, where_better

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


def test_more_than_a_sentence_holds_is_a_list_under_the_rivals_name() -> None:
    measures = [Measure(f"takes {{}} ms to do {job}", {"canongate": 5.0, "plain": 2.0}) for job in "abcd"]
    (told,) = where_better(measures, TITLES, "canongate", {"plain": "It checks nothing."})
    title, *lines = told.splitlines()
    assert title == "**A plain proxy**: It checks nothing."
    assert lines == [f"    - takes 2.00 ms to do {job} (canongate 5.00)" for job in "abcd"]


def test_ways_of_our_own_and_what_was_not_measured_are_left_out() -> None:
    other = Measure("takes {} ms", {"canongate-worded": 5.0, "canongate-exact": 1.0})
    assert where_better([other], {**TITLES, "canongate-exact": "canongate, exact"}, "canongate-worded") == []
    assert where_better([Measure("takes {} ms", {"plain": 1.0})], TITLES, "canongate-worded") == []


def test_equal_is_not_better() -> None:
    assert (
        where_better([Measure("takes {} ms", {"canongate-worded": 5.0, "plain": 5.0})], TITLES, "canongate-worded")
        == []
    )


def test_where_spreads_overlap_two_are_no_different() -> None:
    times = Measure("takes {} ms", {"canongate-worded": Value(5.0, 4.0, 6.0), "plain": Value(4.5, 4.2, 4.8)})
    compared = compare([times], TITLES, "canongate-worded")
    assert compared.better == []
    assert compared.alike == ["**A plain proxy** takes 4.50 ms (canongate 5.00)."]


def test_where_spreads_do_not_meet_one_is_better() -> None:
    times = Measure("takes {} ms", {"canongate-worded": Value(5.0, 4.0, 6.0), "plain": Value(3.0, 2.0, 3.9)})
    compared = compare([times], TITLES, "canongate-worded")
    assert (len(compared.better), compared.alike) == (1, [])


def test_shares_differ_when_the_interval_of_their_difference_has_no_zero() -> None:
    ours, theirs = Value(2.95, 1.66, 5.2), Value(0.8, 0.27, 2.34)
    for are_shares, kind in ((True, "better"), (False, "alike")):
        one = Measure("answers {} % wrongly", {"canongate": ours, "plain": theirs}, are_shares=are_shares)
        assert getattr(compare([one], TITLES, "canongate"), kind), "1.66 and 2.34 overlap, 11 and 3 of 373 differ"


def test_cases_of_one_figure_stand_in_one_sentence() -> None:
    cases = [
        Measure("takes {} ms at {} at once", {"canongate": ours, "plain": theirs}, case=case)
        for case, ours, theirs in (("1", 5.0, 2.0), ("8", 50.0, 20.0), ("32", 60.0, 70.0))
    ]
    assert where_better(cases, TITLES, "canongate") == [
        "**A plain proxy** takes 2.00 / 20.0 ms at 1 / 8 at once (canongate 5.00 / 50.0)."
    ]


def test_a_variant_of_ours_stands_beside_the_default_and_not_in_its_place() -> None:
    words = Measure("shows words after {} ms", {"canongate-worded": 300.0, "canongate-parts": 100.0, "plain": 200.0})
    compared = compare([words], TITLES, "canongate-worded", None, {"canongate-parts": "in parts"})
    assert compared.better == ["**A plain proxy** shows words after 200 ms (canongate 300; in parts 100)."]


def test_the_sum_names_the_best_rival_and_who_is_ahead() -> None:
    times = Measure(
        "takes {} ms", {"canongate-worded": Value(5, 4, 6), "plain": Value(4, 3, 5), "slow": Value(9, 8, 10)}
    )
    assert summed_up("time, ms", times, TITLES, "canongate-worded") == [
        ["time, ms", "5", "4", "A plain proxy", "no different"]
    ]
    fewer = {name: TITLES[name] for name in ("canongate-worded", "slow")}
    assert summed_up("time, ms", times, fewer, "canongate-worded")[0][-1] == "canongate"
    assert summed_up("time, ms", times, {"canongate-worded": "canongate"}, "canongate-worded") == []
