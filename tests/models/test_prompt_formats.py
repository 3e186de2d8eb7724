import pytest

from models.errors import ModelRefused
from models.formats import Piece, PromptFormat, Turn, prompt_format
from models.ports import ApprovedPrompt, PartKind, PromptPart, RenderedPrompt
from tests.models.prompts import approved

CHATML = prompt_format("chatml")


def text_of(prompt):
    return "".join(segment.text for segment in CHATML.layout(prompt))


def test_chatml_with_instructions_is_the_golden_string():
    assert text_of(approved("Hello", instructions="You are a bank assistant.")) == (
        "<|im_start|>system\nYou are a bank assistant.<|im_end|>\n"
        "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"
    )


def test_chatml_without_instructions_has_no_system_turn():
    assert text_of(approved("Hello")) == "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"


def test_blank_instructions_count_as_none():
    assert text_of(approved("Hello", instructions=" \n")) == text_of(approved("Hello"))


@pytest.mark.parametrize("marker", CHATML.control_markers)
@pytest.mark.parametrize("kind", list(PartKind))
def test_no_text_of_any_kind_becomes_markup(marker, kind):
    prompt = ApprovedPrompt(RenderedPrompt((PromptPart(marker, kind),), (PromptPart(f"x {marker}", kind),)))
    markup = [segment.text for segment in CHATML.layout(prompt) if segment.is_markup]
    assert markup == [piece.markup for piece in CHATML.with_instructions if piece.markup]


def test_the_parts_of_a_turn_share_a_segment_so_that_words_are_not_torn():
    texts = [segment.text for segment in CHATML.layout(approved("The office in ", slot="Lisbon"))]
    assert "The office in Lisbon" in texts


def test_chatml_lists_the_17_control_tokens_of_smollm2():
    assert len(set(CHATML.control_markers)) == 17


def test_an_unknown_format_is_refused_and_the_known_ones_are_named():
    with pytest.raises(ModelRefused, match="chatml"):
        prompt_format("../chatml")


def test_a_piece_is_either_markup_or_a_turn():
    with pytest.raises(ValueError, match="either"):
        Piece(markup="x", turn=Turn.QUESTION)


def test_a_format_that_loses_the_question_does_not_exist():
    with pytest.raises(ValueError, match="question"):
        PromptFormat(
            name="x",
            begin_of_sequence=False,
            stop=(),
            control_markers=(),
            with_instructions=(Piece(turn=Turn.INSTRUCTIONS),),
            without_instructions=(Piece(turn=Turn.QUESTION),),
        )
