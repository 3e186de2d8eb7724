import pytest

from models.worker.answer import AnswerText


def collect(pieces, stop=()):
    answer = AnswerText(stop)
    for number, piece in enumerate(pieces):
        if answer.add(piece):
            return answer.text, number
    return answer.text, None


def test_a_character_split_over_tokens_is_put_together():
    data = "日本".encode()
    assert collect([data[:1], data[1:4], data[4:]]) == ("日本", None)


def test_a_half_character_at_the_end_is_dropped():
    assert collect([b"ja", "é".encode()[:1]]) == ("ja", None)


def test_bytes_that_are_no_text_become_the_replacement_character():
    assert collect([b"a\xffb"]) == ("a\ufffdb", None)


def test_a_stop_text_over_several_tokens_ends_the_answer():
    assert collect([b"Yes. ", b"##", b"# Hu", b"man: more"], stop=("### Human",)) == ("Yes. ", 3)


@pytest.mark.parametrize("at", range(1, 9))
def test_a_stop_text_is_found_wherever_it_is_split(at):
    data = b"ok<|end|>"
    assert collect([data[:at], data[at:], b"never"], stop=("<|end|>",)) == ("ok", 1)


def test_the_earliest_of_two_stop_texts_wins():
    assert collect([b"a END b STOP"], stop=("STOP", "END")) == ("a ", 0)
