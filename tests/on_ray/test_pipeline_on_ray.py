"""The promises about the way of a message, and its own tests, with every prompt and answer carried by Ray."""

from collections.abc import Iterator

import pytest

from tests.gateway.http.test_streamed_sentences import (
    checked_sentences,
    test_a_block_in_chunks_is_followed_by_the_approved_text,
    test_a_block_is_an_event_and_no_more_words_follow,
    test_a_rail_that_breaks_after_the_first_sentence_ends_both_streams_with_the_error,
    test_a_stream_opens_with_its_first_sentence,
    test_chunks_are_sentences_and_the_stream_ends_like_every_other,
    test_sentences_come_as_events_and_make_up_the_reply,
    test_who_wants_blocks_as_errors_is_told_before_any_word,
    world,
)
from tests.gateway.test_pipeline_answer_rails import (
    test_a_good_answer_goes_through_them,
    test_a_useless_answer_gives_way_to_the_approved_fallback,
)
from tests.gateway.test_pipeline_failures import (
    test_a_fallback_that_does_not_pass_is_not_shown_either,
    test_an_answer_that_was_cut_short_ends_with_a_whole_sentence,
    test_without_the_model_the_approved_fallback_is_given,
    test_words_that_do_not_pass_are_withheld_and_the_approved_text_is_shown,
)
from tests.guarantees import test_raw_message_never_reaches_model as raw
from tests.guarantees.test_no_match_never_reaches_the_model import (
    test_an_empty_store_answers_nothing,
    test_the_model_is_not_called,
)
from tests.guarantees.test_rails_fail_closed import (
    _behave_again,
    test_a_broken_dialog_does_not_touch_an_approved_question,
    test_a_broken_dialog_lets_nothing_through,
    test_a_broken_rail_lets_nothing_through,
    test_a_broken_rail_that_only_watches_is_recorded_and_lets_nothing_past_the_rails_behind_it,
    test_a_rail_that_is_missing_lets_nothing_through,
    test_an_approved_text_is_checked_like_a_generated_one,
)
from tests.guarantees.test_slot_values_are_checked_like_the_message import (
    test_a_harmless_value_is_used_in_its_canonical_form,
    test_a_value_that_a_message_may_not_have_reaches_no_model,
)
from tests.on_ray.application import ON_RAY, OnRay, needs_ray

pytestmark = [*ON_RAY, pytest.mark.anyio]

__all__ = [
    "_behave_again",
    "checked_sentences",
    "test_a_block_in_chunks_is_followed_by_the_approved_text",
    "test_a_block_is_an_event_and_no_more_words_follow",
    "test_a_broken_dialog_does_not_touch_an_approved_question",
    "test_a_broken_dialog_lets_nothing_through",
    "test_a_broken_rail_lets_nothing_through",
    "test_a_broken_rail_that_only_watches_is_recorded_and_lets_nothing_past_the_rails_behind_it",
    "test_a_fallback_that_does_not_pass_is_not_shown_either",
    "test_a_good_answer_goes_through_them",
    "test_a_harmless_value_is_used_in_its_canonical_form",
    "test_a_rail_that_breaks_after_the_first_sentence_ends_both_streams_with_the_error",
    "test_a_rail_that_is_missing_lets_nothing_through",
    "test_a_stream_opens_with_its_first_sentence",
    "test_a_useless_answer_gives_way_to_the_approved_fallback",
    "test_a_value_that_a_message_may_not_have_reaches_no_model",
    "test_an_answer_that_was_cut_short_ends_with_a_whole_sentence",
    "test_an_approved_text_is_checked_like_a_generated_one",
    "test_an_empty_store_answers_nothing",
    "test_chunks_are_sentences_and_the_stream_ends_like_every_other",
    "test_sentences_come_as_events_and_make_up_the_reply",
    "test_the_model_is_not_called",
    "test_who_wants_blocks_as_errors_is_told_before_any_word",
    "test_without_the_model_the_approved_fallback_is_given",
    "test_words_that_do_not_pass_are_withheld_and_the_approved_text_is_shown",
    "world",
]


@pytest.fixture(scope="module", autouse=True)
def carrier(on_ray: OnRay) -> Iterator[object]:  # noqa: ARG001 - Ray is up
    """Puts Ray between the pipelines of this module and their fakes."""
    raw.built.cache_clear()
    with needs_ray("tests.on_ray.carrying").carrier() as made:
        yield made
        raw.built.cache_clear()


def test_the_model_gets_a_function_of_prompt_version_and_slots_only() -> None:
    raw.test_the_model_gets_a_function_of_prompt_version_and_slots_only()


def test_what_a_fake_is_asked_went_through_ray(carrier) -> None:
    """The last one here: what the tests before looked at is what arrived at a replica."""
    assert len(carrier.carried) > 1
    assert sum(len(fake.prompts) for fake in carrier.carried) > 1
