"""What the guides sign and verify agrees with the gateway and with a library of others."""

import base64
import json
import time
from collections.abc import Iterator

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from gateway.webhooks.signing import PREFIX, sign
from tests.gateway.guides.code_blocks import Block, blocks_of, run_block

SECRET = b"k" * 32
BODY = '{"type":"change.submitted","data":{"change":"c1","state":"in_review","rev":3}}'
CALLS = {
    "python": "\nprint(identity_token('ada-7', 'Ada'))",
    "typescript": "\nconsole.log(identityToken('ada-7', 'Ada'))",
}


def block_with(guide: str, language: str, words: str) -> Block:
    (found,) = [one for one in blocks_of(guide) if one.language == language and words in one.code]
    return found


@pytest.mark.parametrize("language", sorted(CALLS))
def test_the_identity_that_a_guide_signs_has_the_claims_that_the_widget_needs(language: str) -> None:
    signing = block_with("identity", language, "jti")
    tokens = [run_block(signing, address="", key="", more=CALLS[language]).strip() for _ in range(2)]
    key = OctKey.import_key("s" * 43)
    one, other = (jwt.decode(token, key, algorithms=["HS256"]) for token in tokens)
    assert one.header == {"alg": "HS256", "typ": "JWT"}
    assert {name: one.claims[name] for name in ("aud", "sub", "name")} == {
        "aud": "hr-portal",
        "sub": "ada-7",
        "name": "Ada",
    }
    assert abs(one.claims["iat"] - time.time()) < 60
    assert 0 < one.claims["exp"] - one.claims["iat"] <= 600
    assert one.claims["jti"] != other.claims["jti"]
    assert len(one.claims["jti"]) >= 16


def deliveries() -> Iterator[tuple[str, bool]]:
    """Gives the arguments of a verifier, as JSON, and whether it must say yes."""
    now = int(time.time())
    for timestamp, signed, sent, is_genuine in (
        (now, BODY, BODY, True),
        (now, BODY, BODY.replace("c1", "c2"), False),
        (now - 400, BODY, BODY, False),
        (now + 400, BODY, BODY, False),
        (now, "", BODY, False),
    ):
        headers = {
            "webhook-id": "msg_1",
            "webhook-timestamp": str(timestamp),
            "webhook-signature": f"v1,bm9uZQ== {sign(SECRET, 'msg_1', timestamp, signed.encode())}",
        }
        yield json.dumps([PREFIX + base64.b64encode(SECRET).decode(), headers, sent]), is_genuine


@pytest.mark.parametrize("language", ["python", "typescript"])
def test_the_verifier_of_a_guide_takes_what_the_gateway_signs_and_nothing_else(language: str) -> None:
    given, wanted = zip(*deliveries(), strict=True)
    more = {
        "python": f"\nfor secret, headers, body in {[json.loads(one) for one in given]!r}:\n"
        "    print(is_genuine(secret, headers, body.encode()))\n",
        "typescript": f"\nfor (const one of [{', '.join(given)}] as any)\n"
        "    console.log(isGenuine(one[0], one[1], one[2]));\n",
    }
    verifying = block_with("webhooks", language, "webhook-signature")
    printed = run_block(verifying, address="", key="", more=more[language])
    assert [line.lower() == "true" for line in printed.split()] == list(wanted)
