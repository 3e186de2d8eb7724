import dataclasses
import itertools

import msgspec
import pytest

from models import formats
from models.errors import ModelRefused
from models.formats import Piece, PromptFormat, Turn, format_names, prompt_format
from models.ports import ApprovedPrompt, PartKind, PromptPart, RenderedPrompt
from tests.models.prompts import approved

CHATML = prompt_format("chatml")


def text_of(prompt, chosen=CHATML):
    return "".join(segment.text for segment in chosen.layout(prompt))


def test_chatml_with_instructions_is_the_golden_string():
    assert text_of(approved("Hello", instructions="You are a bank assistant.")) == (
        "<|im_start|>system\nYou are a bank assistant.<|im_end|>\n"
        "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"
    )


def test_blank_instructions_count_as_none():
    assert text_of(approved("Hello", instructions=" \n")) == text_of(approved("Hello"))


@pytest.mark.parametrize("name", format_names())
@pytest.mark.parametrize("kind", list(PartKind))
def test_no_text_of_any_kind_becomes_markup(name, kind):
    chosen = prompt_format(name)
    for marker in (*chosen.control_markers, *chosen.text_markers, *chosen.stop):
        prompt = ApprovedPrompt(RenderedPrompt((PromptPart(marker, kind),), (PromptPart(f"x {marker}", kind),)))
        markup = [segment.text for segment in chosen.layout(prompt) if segment.is_markup]
        assert "".join(markup) == "".join(piece.markup for piece in chosen.with_instructions if piece.markup)


def test_the_parts_of_a_turn_share_a_segment_so_that_words_are_not_torn():
    texts = [segment.text for segment in CHATML.layout(approved("The office in ", slot="Lisbon"))]
    assert "The office in Lisbon" in texts


@pytest.mark.parametrize(
    "name", ["vicuna", "vicuna-v0", "alpaca", "llama-2", "redpajama-incite", "baize", "mistral-v1"]
)
def test_a_format_whose_markers_are_plain_text_is_one_segment_without_control_tokens(name):
    (segment,) = prompt_format(name).layout(approved("Hello", instructions="Be brief."))
    assert not segment.is_markup


def test_plain_text_beside_a_turn_shares_its_segment_and_markup_does_not():
    segments = [(one.is_markup, one.text) for one in prompt_format("dolly-v2").layout(approved("Hello"))]
    assert segments[1:] == [(True, "### Instruction:"), (False, "\nHello\n\n"), (True, "### Response:\n")]


def test_neighbouring_segments_are_never_of_one_kind():
    for name in format_names():
        for instructions in ("", "Be brief."):
            kinds = [one.is_markup for one in prompt_format(name).layout(approved("Hello", instructions=instructions))]
            assert all(kind != following for kind, following in itertools.pairwise(kinds)), name


def test_chatml_lists_the_17_control_tokens_of_smollm2():
    assert len(set(CHATML.control_markers)) == 17


@pytest.mark.parametrize("name", format_names())
def test_every_format_is_readable_carries_its_file_name_and_can_be_ended(name):
    chosen = prompt_format(name)
    assert chosen.name == name
    assert chosen.stop
    assert chosen.control_markers
    assert text_of(approved("Hello"), chosen).count("Hello") == 1 + ("Hello!" in text_of(approved("x"), chosen))


def test_a_format_whose_file_name_and_name_differ_is_refused(monkeypatch, tmp_path):
    (tmp_path / "other.toml").write_bytes((formats.TEMPLATES / "vicuna.toml").read_bytes())
    monkeypatch.setattr(formats, "TEMPLATES", tmp_path)
    with pytest.raises(ModelRefused, match="vicuna"):
        prompt_format("other")


def test_a_file_that_is_no_format_is_refused(monkeypatch, tmp_path):
    (tmp_path / "broken.toml").write_text('name = "broken"\nmarker = "x"\n')
    monkeypatch.setattr(formats, "TEMPLATES", tmp_path)
    with pytest.raises(ModelRefused, match="not a prompt format"):
        prompt_format("broken")


def test_an_unknown_format_is_refused_and_the_known_ones_are_named():
    with pytest.raises(ModelRefused, match="chatml"):
        prompt_format("../chatml")


@pytest.mark.parametrize(
    "parts",
    [{"markup": "x", "turn": Turn.QUESTION}, {"markup": "x", "text": "y"}, {"text": "y", "turn": "question"}, {}],
)
def test_a_piece_is_either_markup_or_text_or_a_turn(parts):
    with pytest.raises(ValueError, match="either"):
        Piece(**parts)


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


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"end_tokens": ("<|other|>",)}, "end token"),
        ({"without_instructions": (Piece(markup="USER: "), Piece(turn=Turn.QUESTION))}, "no control marker"),
        ({"without_instructions": (Piece(text="<|im_end|>"), Piece(turn=Turn.QUESTION))}, "write it as markup"),
    ],
)
def test_a_format_that_mixes_up_control_tokens_and_text_does_not_exist(change, words):
    with pytest.raises(ValueError, match=words):
        msgspec.structs.replace(CHATML, **change)


def test_a_segment_is_not_changed_after_it_was_laid_out():
    with pytest.raises(dataclasses.FrozenInstanceError):
        CHATML.layout(approved("Hello"))[0].text = "x"
