"""What a completion says it was given: the exact tokens, or the request to a server that hides them; never neither."""

import hashlib

import pytest

from models.ports import Completion, FinishReason, SentRequest

SENT = SentRequest("ab" * 32, 17)


def completion(tokens, sent=None):
    return Completion("Yes.", FinishReason.STOP, tokens, 1, 0.0, 0.0, sent_request=sent)


def test_tokens_are_counted_and_hashed():
    given = completion((1, 258))
    assert given.prompt_token_count == 2
    assert given.prompt_sha256 == hashlib.sha256(b"\0\0\0\1\0\0\1\2").hexdigest()


def test_a_request_is_known_by_its_hash_and_the_servers_count():
    given = completion((), SENT)
    assert (given.prompt_token_count, given.prompt_sha256) == (17, SENT.sha256)


@pytest.mark.parametrize(("tokens", "sent"), [((), None), ((1,), SENT)])
def test_neither_and_both_do_not_exist(tokens, sent):
    with pytest.raises(ValueError, match="This is a bug"):
        completion(tokens, sent)
