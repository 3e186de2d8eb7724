from dataclasses import replace

import numpy as np
import pytest
from store_content import DIMENSION, embed, version

from store.catalog import Catalog
from store.errors import IndexUnusable
from store.gates import decide
from store.index import PromptIndex
from store.matcher import Matcher
from store.matches import Ambiguous, Candidate, Gate, Match, MatchMethod, NoMatch
from store.scoring import Limits, NearestScorer, Scope

LIMITS = Limits(answer=0.8, margin=0.1, suggest=0.5, floor=-1.0, follow_up=0.8)
NEVER = Limits(answer=2.0, margin=0.1, suggest=0.1, floor=-1.0, follow_up=2.0)
"""Nothing is answered by its score."""
SITE = {
    "slots": [{"type": "enum", "name": "site", "ask": "Which?", "values": [{"value": "Leeds"}, {"value": "Gdansk"}]}],
    "reply": {"mode": "verbatim", "answer": "{site} is open."},
}
ROOM = {
    "slots": [{"type": "short_text", "name": "room", "ask": "Which?"}],
    "reply": {"mode": "verbatim", "answer": "{room} is booked."},
}


def matcher(*versions, embedder=embed, areas=("it",), limits=LIMITS, is_unread=lambda _: False):
    catalog = Catalog(1, {one.key: one for one in versions}, {}, {})
    scopes = {"desk": Scope(frozenset(areas), NearestScorer(), limits)}
    return Matcher(PromptIndex.build(catalog, embed, dimension=DIMENSION), embedder, scopes, is_unread=is_unread)


def match(text, *versions, areas=("it",), limits=LIMITS, after=None):
    return matcher(*versions, areas=areas, limits=limits).match(text, "desk", after=after)


def never(_):
    raise AssertionError("an exact phrase is answered without embedding")


def test_an_approved_phrasing_is_matched_word_for_word_without_embedding():
    for text in (
        "How do I start the VPN?",
        "how do i  start the vpn",
        '"How do I start the VPN"',
        "How do I start the VPN!",
    ):
        result = matcher(version(phrasings=["How do I start the VPN?"]), embedder=never).match(text, "desk")
        assert isinstance(result, Match)
        assert result.method is MatchMethod.EXACT
        assert result.evidence.gate is Gate.EXACT_PHRASE
        assert result.evidence.score == 1.0


def test_what_is_said_word_for_word_is_what_is_matched_and_nothing_where_a_vector_is_due():
    vpn = version(phrasings=["How do I start the VPN?"], counterexamples=["How do I stop the VPN?"])
    made = matcher(vpn)
    said = "how do i start the vpn"
    assert made.word_for_word(said, "desk") == made.match(said, "desk")
    assert [made.word_for_word(text, "desk") for text in ("VPN, how?", "How do I stop the VPN?")] == [None, None]
    empty = matcher(vpn, areas=("hr",)).word_for_word(said, "desk")
    assert isinstance(empty, NoMatch)
    assert empty.evidence.gate is Gate.EMPTY


def test_a_message_in_an_unread_language_is_refused_without_embedding_but_not_an_approved_phrasing():
    vpn = version(phrasings=["How do I start the VPN?", "Como ligo a VPN?"])
    made = matcher(vpn, embedder=never, is_unread=lambda text: "Como" in text)
    found = made.match("Como ligo eu a VPN?", "desk")
    assert isinstance(found, NoMatch)
    assert found.evidence.gate is Gate.LANGUAGE
    assert isinstance(made.match("Como ligo a VPN?", "desk"), Match)


def test_a_template_matches_exactly_and_captures_the_words_as_written():
    office = version("it.office", phrasings=["When is the {site} office open?"], **SITE)
    result = matcher(office, embedder=never).match("when is the LEEDS office open", "desk")
    assert isinstance(result, Match)
    assert result.method is MatchMethod.EXACT
    assert dict(result.captured) == {"site": "LEEDS"}


def test_a_template_does_not_claim_a_message_whose_blank_is_no_value():
    office = version("it.office", phrasings=["opening hours {site}"], **SITE)
    result = match("opening hours bakery around the corner", office)
    assert not isinstance(result, Match)


def test_a_free_text_template_with_few_words_does_not_claim_everything():
    room = version("it.room", phrasings=["book {room}"], **ROOM)
    assert not isinstance(match("book a flight to Paris", room), Match)
    specific = version("it.room", phrasings=["please book meeting room {room}"], **ROOM)
    assert dict(match("Please book meeting room Aurora 2", specific).captured) == {"room": "Aurora 2"}


def test_a_pasted_text_is_captured_with_its_lines_and_case():
    reply = {"mode": "generate", "prompt": "Sum up {text}.", "facts": "-", "fallback": "No."}
    slots = [{"type": "quoted_text", "name": "text", "ask": "Paste."}]
    ticket = version("it.sum", phrasings=["Summarise this ticket: {text}"], slots=slots, reply=reply)
    result = match("summarise this ticket: Screen is DARK.\nSince Monday!", ticket)
    assert dict(result.captured) == {"text": "Screen is DARK.\nSince Monday!"}


def test_a_similar_message_also_captures_what_a_template_of_its_prompt_says():
    room = version("it.room", phrasings=["book {room}", "book the aurora"], **ROOM)
    result = match("book Aurora", room, limits=replace(LIMITS, answer=0.5, margin=0.0))
    assert result.method is MatchMethod.SIMILAR
    assert dict(result.captured) == {"room": "Aurora"}


def test_the_most_literal_phrasing_wins():
    whole = version("it.b", phrasings=["opening hours of the leeds office"])
    blank = version("it.a", phrasings=["opening hours of the {site} office"], **SITE)
    assert match("Opening hours of the Leeds office", whole, blank).prompt.key == "it.b"


def test_two_templates_that_fit_equally_well_are_asked_about():
    first = version("it.a", phrasings=["about {site} now"], **SITE)
    second = version("it.b", phrasings=["about {site} now"], **SITE)
    result = match("about Leeds now", first, second)
    assert isinstance(result, Ambiguous)
    assert {choice.key for choice in result.choices} == {"it.a", "it.b"}


def test_a_near_message_is_matched_with_exact_evidence():
    vpn = version(phrasings=["how do i start the vpn client"], counterexamples=["stop the vpn"])
    other = version("it.mail", phrasings=["mailbox is full"])
    result = match("how do i start my vpn client", vpn, other)
    assert isinstance(result, Match)
    assert result.method is MatchMethod.SIMILAR
    vectors = embed(
        ["how do i start my vpn client", "how do i start the vpn client", "stop the vpn", "mailbox is full"]
    )
    scores = vectors[1:] @ vectors[0]
    best, second = result.evidence.candidates
    assert best.score == pytest.approx(scores[0], abs=1e-6)
    assert best.counter_similarity == pytest.approx(scores[1], abs=1e-6)
    assert best.phrasing == "how do i start the vpn client"
    assert result.evidence.margin == pytest.approx(scores[0] - scores[2], abs=1e-6)
    assert second.counter_similarity is None


def test_nothing_near_is_no_match():
    result = match("elephants", version(phrasings=["how do i start the vpn client"]))
    assert isinstance(result, NoMatch)
    assert result.evidence.gate is Gate.BELOW_LIMIT
    assert len(result.evidence.candidates) == 1


def test_a_message_nearer_to_a_counterexample_is_not_matched():
    vpn = version(phrasings=["start the vpn client"], counterexamples=["never start the vpn client at home"])
    result = match("start the vpn client at home", vpn)
    assert not isinstance(result, Match)
    assert result.evidence.gate is Gate.COUNTEREXAMPLE


def test_a_counterexample_word_for_word_takes_its_prompt_out():
    vpn = version(phrasings=["start the vpn", "start the vpn now"], counterexamples=["Start the VPN tomorrow"])
    other = version("it.plan", phrasings=["start the vpn tomorrow morning"])
    result = match("start the vpn tomorrow?", vpn, other)
    assert isinstance(result, Match)
    assert [one.prompt.key for one in result.evidence.candidates] == ["it.plan"]
    alone = match("start the vpn tomorrow?", vpn)
    assert isinstance(alone, NoMatch)
    assert alone.evidence.gate is Gate.COUNTEREXAMPLE


def test_two_prompts_too_near_to_each_other_are_asked_about():
    a, b = version("it.a", phrasings=["lost my red badge"]), version("it.b", phrasings=["lost my blue badge"])
    result = match("lost my badge", a, b)
    assert isinstance(result, Ambiguous)
    assert result.evidence.gate is Gate.MARGIN
    assert len(result.choices) == 2


def test_the_title_of_a_choice_is_the_answer_to_being_asked():
    a = version("it.a", phrasings=["lost my red badge"], title="A red badge is lost")
    b = version("it.b", phrasings=["lost my blue badge"], title="A blue badge is lost")
    asked = match("lost my badge", a, b)
    assert isinstance(asked, Ambiguous)
    for choice in asked.choices:
        found = match(choice.content.title.lower(), a, b, limits=NEVER)
        assert isinstance(found, Match)
        assert (found.prompt, found.method, found.evidence.gate) == (choice, MatchMethod.TITLE, Gate.TITLE)


def test_a_title_counts_for_nothing_where_two_prompts_share_it():
    a = version("it.a", phrasings=["lost my red badge"], title="Lost badge")
    b = version("it.b", phrasings=["lost my blue badge"], title="Lost badge")
    assert not isinstance(match("lost badge", a, b, limits=NEVER), Match)


def test_a_phrasing_word_for_word_comes_before_the_title_of_another():
    a = version("it.a", phrasings=["lost my badge"])
    b = version("it.b", phrasings=["lost my blue badge"], title="Lost my badge")
    found = match("lost my badge", a, b)
    assert isinstance(found, Match)
    assert (found.prompt.key, found.method) == ("it.a", MatchMethod.EXACT)


def test_a_title_that_its_own_prompt_must_not_be_given_for_is_refused():
    a = version("it.a", phrasings=["lost my red badge"], title="Lost badge", counterexamples=["lost badge"])
    assert not isinstance(match("Lost badge", a), Match)


def test_at_most_three_prompts_are_offered():
    many = [version(f"it.p{letter}", phrasings=[f"lost my {letter} badge"]) for letter in "abcdefg"]
    result = match("lost my badge", *many)
    assert isinstance(result, Ambiguous)
    assert len(result.choices) == 3


def test_one_prompt_with_very_many_phrasings_does_not_hide_the_runner_up():
    crowd = version("it.a", phrasings=[f"lost my red badge {n}" for n in range(100)])
    other = version("it.b", phrasings=["lost my blue badge"])
    result = match("lost my badge", crowd, other)
    assert result.evidence.margin is not None


def test_prompts_outside_the_assistants_areas_do_not_exist():
    hr, vpn = version("hr.leave", phrasings=["book leave"]), version(phrasings=["start the vpn client"])
    assert match("book leave", hr, vpn, areas=["hr"]).prompt.key == "hr.leave"
    near = match("book some leave", hr, vpn, areas=["it"])
    assert isinstance(near, NoMatch)
    assert {one.prompt.key for one in near.evidence.candidates} == {"it.vpn"}
    assert isinstance(match("book leave", hr, vpn, areas=["it"]), NoMatch)


@pytest.mark.parametrize("areas", [(), ("nowhere",)])
def test_an_area_without_prompts_is_no_match_without_embedding(areas):
    result = matcher(version(), embedder=never, areas=areas).match("x", "desk")
    assert isinstance(result, NoMatch)
    assert result.evidence.gate is Gate.EMPTY


def test_an_empty_store_is_no_match():
    assert match("x").evidence.gate is Gate.EMPTY


FOLLOWED = version("it.leave", phrasings=["carry over leave"])
FOLLOWS = {
    "phrasings": ["carry over leave of a contractor"],
    "follows": ["it.leave"],
    "follow_ups": ["And for contractors?"],
}
FOLLOW = version("it.leave-c", **FOLLOWS)


def test_a_follow_up_counts_only_right_after_its_predecessor():
    result = match("and for contractors", FOLLOWED, FOLLOW, after="it.leave")
    assert isinstance(result, Match)
    assert (result.prompt.key, result.method) == ("it.leave-c", MatchMethod.FOLLOW_UP)
    for after in (None, "it.leave-c", "it.nothing"):
        assert isinstance(match("and for contractors", FOLLOWED, FOLLOW, after=after), NoMatch)


def test_a_similar_follow_up_is_matched_after_its_predecessor():
    result = match("and so for contractors?", FOLLOWED, FOLLOW, after="it.leave")
    assert (result.prompt.key, result.method) == ("it.leave-c", MatchMethod.FOLLOW_UP)
    assert isinstance(match("and so for contractors?", FOLLOWED, FOLLOW), NoMatch)


def test_a_follow_up_nearer_to_a_counterexample_of_its_prompt_is_not_matched():
    countered = version("it.leave-c", **FOLLOWS, counterexamples=["and so for contractors too?"])
    result = match("and so for contractors?", FOLLOWED, countered, after="it.leave")
    assert not isinstance(result, Match)
    other = match("and so for contractors?", FOLLOWED, countered, version("it.leave-d", **FOLLOWS), after="it.leave")
    assert isinstance(other, Match)
    assert (other.prompt.key, other.method) == ("it.leave-d", MatchMethod.FOLLOW_UP)


def test_a_follow_up_wins_a_tie_with_an_ordinary_phrasing():
    plain = version("it.contractors", phrasings=["and for contractors"])
    exact = match("and for contractors", FOLLOWED, FOLLOW, plain, after="it.leave")
    assert (exact.prompt.key, exact.method) == ("it.leave-c", MatchMethod.FOLLOW_UP)
    near = match("and so for contractors", FOLLOWED, FOLLOW, plain, after="it.leave")
    assert (near.prompt.key, near.method) == ("it.leave-c", MatchMethod.FOLLOW_UP)
    assert match("and for contractors", FOLLOWED, FOLLOW, plain).prompt.key == "it.contractors"


@pytest.mark.parametrize(
    "vector",
    [
        np.full((1, DIMENSION), np.nan, dtype=np.float32),
        np.full((1, DIMENSION), np.inf, dtype=np.float32),
        np.zeros((1, DIMENSION), dtype=np.float32),
        np.ones((1, DIMENSION), dtype=np.float32),
        np.eye(1, DIMENSION + 1, dtype=np.float32),
        np.eye(1, DIMENSION, dtype=np.float64),
        np.eye(2, DIMENSION, dtype=np.float32),
        np.eye(1, DIMENSION, dtype=np.float32)[0],
    ],
)
def test_a_broken_vector_is_an_error_and_never_a_match(vector):
    with pytest.raises(IndexUnusable):
        matcher(version(), embedder=lambda _: vector).match("anything", "desk")


def scored(*scores, counter=None):
    return [
        Candidate(version(f"it.p{chr(97 + n)}"), score, "x", score, counter if n == 0 else None)
        for n, score in enumerate(scores)
    ]


@pytest.mark.parametrize(
    ("candidates", "kind", "gate"),
    [
        (scored(0.8), Match, Gate.ACCEPTED),
        (scored(0.8, 0.7), Match, Gate.ACCEPTED),
        (scored(0.7999, 0.4), Ambiguous, Gate.BELOW_LIMIT),
        (scored(0.5), Ambiguous, Gate.BELOW_LIMIT),
        (scored(0.4999), NoMatch, Gate.BELOW_LIMIT),
        (scored(0.9, 0.85), Ambiguous, Gate.MARGIN),
        (scored(0.9, counter=0.9), NoMatch, Gate.COUNTEREXAMPLE),
        (scored(0.9, 0.6, counter=0.95), Ambiguous, Gate.COUNTEREXAMPLE),
        (scored(0.9, counter=0.89), Match, Gate.ACCEPTED),
        (scored(0.883, counter=0.885), Match, Gate.ACCEPTED),
        (scored(0.85, counter=0.88), Ambiguous, Gate.COUNTEREXAMPLE),
        ([], NoMatch, Gate.EMPTY),
    ],
)
def test_each_gate_decides_at_its_limit(candidates, kind, gate):
    # Limits that binary floating point holds exactly enough: 0.8 - 0.7 is a little above 0.1.
    result = decide("a message", candidates, LIMITS)
    assert isinstance(result, kind)
    assert result.evidence.gate is gate


def test_a_prompt_whose_counterexample_is_nearly_what_is_asked_is_not_offered():
    result = decide("a message", scored(0.9, 0.6, counter=0.95), LIMITS)
    assert [choice.key for choice in result.choices] == ["it.pb"]


def test_a_prompt_whose_counterexample_is_only_nearer_is_offered_and_not_answered():
    result = decide("a message", scored(0.85, 0.6, counter=0.88), LIMITS)
    assert [choice.key for choice in result.choices] == ["it.pa", "it.pb"]


def test_a_contradiction_says_which_words_differ():
    doors = version(phrasings=["How do I open the north door?"])
    found = decide("How do I close the north door?", [Candidate(doors, 0.9, doors.content.phrasings[0], 0.9)], LIMITS)
    assert (found.evidence.gate, isinstance(found, Ambiguous)) == (Gate.CONTRADICTION, True)
    assert {"open", "close"} <= set(found.evidence.difference.replace("/", " ").split())
    same = decide("How do I open a north door?", [Candidate(doors, 0.9, doors.content.phrasings[0], 0.9)], LIMITS)
    assert (same.evidence.gate, same.evidence.difference) == (Gate.ACCEPTED, None)


def test_a_template_is_near_with_every_value_of_its_enum():
    slots = [{"type": "enum", "name": "site", "ask": "Which?", "values": [{"value": "Leeds"}, {"value": "Gdansk"}]}]
    reply = {"mode": "verbatim", "answer": "Ask in {site}."}
    hours = version("it.hours", phrasings=["opening hours {site}"], slots=slots, reply=reply)
    index = PromptIndex.build(Catalog(1, {"it.hours": hours}, {}, {}), embed, dimension=DIMENSION)
    assert len(index) == 2
    for site in ("Leeds", "Gdansk"):
        (hit,) = index.search(embed([f"opening hours {site}"]), 1, ("it",))
        assert hit.score == pytest.approx(1.0)
    assert len(index.exact("opening hours Gdansk", ("it",))) == 1, "as a text it is there once"
