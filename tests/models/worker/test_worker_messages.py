import io

import pytest

from models.errors import ModelUnavailable
from models.formats import Place, Segment
from models.ports import Sampling
from models.worker.messages import Beat, Cancel, Generate, Prompt, encode_frame, read_from_worker, read_to_worker

PROMPT = Prompt((Segment("Hi\x00 日本", is_markup=False),), (Place(0, 2),), "desk")
JOB = Generate(7, PROMPT, Sampling(stop=("x",)), ("x",), 1.5)


def test_messages_come_out_as_they_went_in():
    stream = io.BytesIO(encode_frame(JOB) + encode_frame(Cancel(7)))
    assert [read_to_worker(stream), read_to_worker(stream), read_to_worker(stream)] == [JOB, Cancel(7), None]


@pytest.mark.parametrize("cut", [1, 3, 4, 9])
def test_a_message_cut_off_is_an_error_and_not_an_end(cut):
    with pytest.raises(ModelUnavailable):
        read_to_worker(io.BytesIO(encode_frame(JOB)[:cut]))


@pytest.mark.parametrize("data", [b"\xff\xff\xff\xff", b"\x00\x00\x00\x01\xc1", encode_frame(JOB)])
def test_nonsense_from_a_worker_is_an_error(data):
    with pytest.raises(ModelUnavailable):
        read_from_worker(io.BytesIO(data))


def test_an_unknown_field_is_an_error():
    body = b"\x82\xa4type\xa4beat\xa1x\x01"
    with pytest.raises(ModelUnavailable):
        read_from_worker(io.BytesIO(len(body).to_bytes(4, "big") + body))
    assert read_from_worker(io.BytesIO(encode_frame(Beat()))) == Beat()


def test_sampling_out_of_range_does_not_survive_the_pipe():
    frame = encode_frame(JOB)
    assert frame.count(b"max_tokens\x50") == 1
    with pytest.raises(ModelUnavailable):
        read_to_worker(io.BytesIO(frame.replace(b"max_tokens\x50", b"max_tokens\x00")))
