"""The limit of follow-ups: what other prompts' phrasings reach is not enough."""

import pytest
from store_content import DIMENSION, embed, version

from store.catalog import Catalog
from store.follow_ups import NEVER, follow_up_limit
from store.index import PromptIndex

LEAVE = version("it.leave", phrasings=["carry over leave"])
CONTRACTOR = version(
    "it.leave-c", phrasings=["leave of a contractor"], follows=["it.leave"], follow_ups=["and for contractors"]
)


def limit(*versions, areas=("it",), rate=0.01) -> float:
    catalog = Catalog(1, {one.key: one for one in versions}, {}, {})
    return follow_up_limit(PromptIndex.build(catalog, embed, dimension=DIMENSION), areas, rate)


def test_it_is_what_the_stated_share_of_other_phrasings_reaches():
    near = version("it.card", phrasings=["and for a card"])
    vectors = embed(["and for contractors", "and for a card"])
    assert limit(LEAVE, CONTRACTOR, near, rate=1e-9) == pytest.approx(float(vectors[0] @ vectors[1]), abs=1e-6)
    assert limit(LEAVE, CONTRACTOR, near, rate=0.5) < limit(LEAVE, CONTRACTOR, near)


def test_a_prompts_own_phrasings_do_not_tighten_it():
    own = version(
        "it.leave-c", phrasings=["and for contractors please"], follows=["it.leave"], follow_ups=["and for contractors"]
    )
    assert limit(LEAVE, own) < 0.5


def test_without_follow_ups_or_other_phrasings_nothing_is_enough():
    assert limit(LEAVE) == NEVER
    assert limit(LEAVE, CONTRACTOR, areas=("hr",)) == NEVER
    assert limit(CONTRACTOR) == NEVER
