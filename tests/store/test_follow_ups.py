"""The limit of follow-ups: what other prompts' phrasings reach is not enough."""

import numpy as np
import pytest
from store_content import DIMENSION, embed, version

from store.catalog import Catalog
from store.follow_ups import follow_up_limit
from store.index import PromptIndex
from store.learning.limits import NEVER

LEAVE = version("it.leave", phrasings=["carry over leave"])
CONTRACTOR = version(
    "it.leave-c", phrasings=["leave of a contractor"], follows=["it.leave"], follow_ups=["and for contractors"]
)


def limit(*versions, areas=("it",), rate=0.01) -> float:
    catalog = Catalog(1, {one.key: one for one in versions}, {}, {})
    return follow_up_limit(PromptIndex.build(catalog, embed, dimension=DIMENSION), areas, rate)


def several(key: str, count: int):
    return version(key, phrasings=[f"and for card number {n}" for n in range(count)])


def test_it_is_what_the_stated_share_of_other_phrasings_reaches():
    others = several("it.card", 299)
    said = [*others.content.phrasings, *LEAVE.content.phrasings]
    (near,) = embed(CONTRACTOR.content.follow_ups) @ embed(said).T
    assert limit(LEAVE, CONTRACTOR, others) == pytest.approx(float(np.quantile(near, 0.99)), abs=1e-6)
    assert limit(LEAVE, CONTRACTOR, others, rate=0.5) == pytest.approx(float(np.quantile(near, 0.5)), abs=1e-6)


def test_a_prompts_own_phrasings_do_not_tighten_it():
    phrasings = [f"and for contractors {n}" for n in range(300)]
    own = version("it.leave-c", phrasings=phrasings, follows=["it.leave"], follow_ups=["and for contractors"])
    assert limit(LEAVE, own) < 0.5


@pytest.mark.parametrize(("rate", "needed"), [(0.01, 300), (0.05, 60)])
def test_too_few_phrasings_to_show_the_rate_leave_follow_ups_word_for_word(rate, needed):
    others = needed - 2  # beside one each of the two
    assert limit(LEAVE, CONTRACTOR, several("it.card", others - 1), rate=rate) == NEVER
    assert limit(LEAVE, CONTRACTOR, several("it.card", others), rate=rate) < 1.0


def test_without_follow_ups_or_other_phrasings_nothing_is_enough():
    many = several("it.card", 300)
    assert limit(LEAVE, many) == NEVER
    assert limit(LEAVE, CONTRACTOR, many, areas=("hr",)) == NEVER
    alone = version("it.leave-c", phrasings=many.content.phrasings, follows=["it.leave"], follow_ups=["and so"])
    assert limit(alone) == NEVER
