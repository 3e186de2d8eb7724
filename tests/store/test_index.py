import threading

import numpy as np
import pytest
from store_content import DIMENSION, embed, version

from store import nearest, shelves
from store.catalog import Catalog
from store.errors import IndexUnusable
from store.index import PromptIndex

WORDS = [f"word{n}" for n in range(40)]


def catalog(*versions, revision=1):
    return Catalog(revision, {one.key: one for one in versions}, {}, {})


def built(*versions):
    return PromptIndex.build(catalog(*versions), embed, dimension=DIMENSION)


def opened(folder, *versions, previous=None, embedder=embed, fingerprint="embedder-1"):
    return PromptIndex.open(
        catalog(*versions),
        embedder,
        fingerprint=fingerprint,
        dimension=DIMENSION,
        folder=folder,
        previous=previous,
    )


def sentences(count, seed=0, words=4):
    dice = np.random.default_rng(seed)
    return [" ".join(dice.choice(WORDS, words)) + f" tail{n}" for n in range(count)]


def many(count, prompts=20, area="it", seed=0):
    texts = sentences(count, seed)
    return [version(f"{area}.p{n}", phrasings=texts[n::prompts]) for n in range(prompts)]


def expected(index, vector, k, areas, after=None):
    """Every row compared with NumPy, equal ones in the order of their numbers."""
    rows = [index.row(number) for number in range(len(index))]
    part = [
        number
        for number, row in enumerate(rows)
        if row.prompt.content.area in areas
        and (row.kind == "phrasing" or (row.kind == "follow_up" and after in row.prompt.content.follows))
    ]
    scores = index.vectors_of(part) @ vector[0]
    order = sorted(zip(-scores.round(5), part, strict=True))[:k]
    return [number for _, number in order], [-score for score, _ in order]


def assert_same(hits, wanted):
    assert [hit.score for hit in hits] == pytest.approx(wanted[1], abs=2e-5)
    assert len({hit.number for hit in hits}) == len(hits)


def test_a_flat_search_is_exact_and_its_scores_are_those_of_the_vectors():
    index = built(*many(2000), *many(300, area="hr", seed=1))
    for text in sentences(30, seed=9):
        vector = embed([text])
        for areas in (["it"], ["hr"], ["hr", "it"]):
            assert_same(index.search(vector, 64, areas), expected(index, vector, 64, areas))


def test_a_small_store_that_is_compared_at_once_finds_what_a_block_an_area_finds(monkeypatch):
    prompts = [*many(900), *many(200, area="hr", seed=1), *many(200, area="finance", seed=2)]
    at_once = built(*prompts)
    monkeypatch.setattr(shelves, "_COMPARED_WHOLE", 0)
    by_area = built(*prompts)
    assert (at_once._shelves._base.is_small, by_area._shelves._base.is_small) == (True, False)
    for text in sentences(20, seed=9):
        vector = embed([text])
        for areas in (["it"], ["hr", "it"], ["hr", "finance", "nowhere"], ["nowhere"]):
            assert at_once.search(vector, 64, areas) == by_area.search(vector, 64, areas)


def test_equal_sentences_stand_in_the_order_of_their_numbers():
    index = built(*(version(f"it.p{n:03}", phrasings=["the very same words"]) for n in range(300)))
    hits = index.search(embed(["the same words"]), 100, ["it"])
    assert [hit.number for hit in hits] == list(range(100))
    assert len({hit.score for hit in hits}) == 1


def test_more_equal_sentences_than_are_looked_at_first_do_not_hide_one_another():
    crowd = [version(f"it.p{n:03}", phrasings=["all the same"]) for n in range(500)]
    index = built(*crowd, version("it.z", phrasings=["something else altogether"]))
    assert [hit.number for hit in index.search(embed(["all the same"]), 5, ["it"])] == [0, 1, 2, 3, 4]


def test_follow_ups_take_part_only_after_their_predecessor():
    extra = version("it.more", phrasings=["more about it"], follow_ups=["and at home"], follows=["it.vpn"])
    index = built(version(), extra)
    vector = embed(["and at home"])
    assert index.size_of(["it"]) == 2
    assert index.size_of(["it"], after="it.vpn") == 3
    assert index.size_of(["it"], after="it.other") == 2
    assert index.search(vector, 1, ["it"], after="it.vpn")[0].score == pytest.approx(1.0)
    assert index.search(vector, 1, ["it"])[0].score < 0.9
    assert index.search(vector, 1, ["hr"], after="it.vpn") == ()


def test_counterexamples_are_found_by_prompt_and_never_by_search():
    vpn = version(counterexamples=["stop the vpn", "remove the vpn"])
    index = built(vpn, version("it.mail"))
    vector = embed(["stop the vpn"])
    assert {hit.row.text for hit in index.search(vector, 9, ["it"])} == {
        "tell me about it.vpn",
        "tell me about it.mail",
    }
    found = index.nearest_counterexamples(vector, ["it.vpn", "it.mail", "it.none"])
    assert set(found) == {"it.vpn"}
    assert found["it.vpn"].row.text == "stop the vpn"
    assert found["it.vpn"].score == pytest.approx(1.0)


def test_rows_prompts_and_vectors_are_found_by_number_and_key():
    index = built(version(), version("it.mail", phrasings=["a full mailbox", "no mail"]))
    assert index.prompt("it.mail").key == "it.mail"
    with pytest.raises(KeyError):
        index.prompt("it.none")
    assert np.array_equal(index.vectors_of([1, 0]), embed([index.row(1).text, index.row(0).text]))


@pytest.mark.parametrize("bad", [np.full((1, DIMENSION), np.nan), np.ones((1, DIMENSION)), np.zeros((1, 3)), [[0.0]]])
def test_a_vector_that_is_no_unit_vector_is_an_error(bad):
    with pytest.raises(IndexUnusable):
        built(version()).search(np.asarray(bad, dtype=np.float32), 1, ["it"])


@pytest.mark.parametrize("k", [0, -1])
def test_nothing_asked_for_is_nothing_found(k):
    assert built(version()).search(embed(["x"]), k, ["it"]) == ()


def test_an_empty_index_finds_nothing():
    index = built()
    assert index.search(embed(["x"]), 5, ["it"]) == ()
    assert (len(index), index.size_of(["it"])) == (0, 0)


def test_many_threads_find_the_same():
    index, vector = built(*many(3000)), embed([sentences(1, seed=5)[0]])
    wanted, failures = index.search(vector, 20, ["it"]), []

    def ask():
        failures.extend(1 for _ in range(30) if index.search(vector, 20, ["it"]) != wanted)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.fixture
def large(monkeypatch):
    """Makes large what is large with a few hundred rows."""
    monkeypatch.setattr(nearest, "FLAT_UP_TO", 500)
    monkeypatch.setattr(shelves, "_SHARED_FROM", 200)


def recall(index, queries=60):
    found = 0
    for text in sentences(queries, seed=9):
        vector = embed([text])
        _, scores = expected(index, vector, 1, ["it"])
        found += index.search(vector, 64, ["it"])[0].score >= scores[0] - 1e-4
    return found / queries


@pytest.mark.usefixtures("large")
def test_a_large_area_is_searched_by_cells_and_a_small_one_beside_it_exactly(tmp_path):
    index = opened(tmp_path, *many(3000), *many(100, area="hr", seed=3))
    assert index._shelves._base.cells is not None
    assert recall(index) >= 0.98
    vector = embed([sentences(1, seed=8)[0]])
    assert_same(index.search(vector, 20, ["hr"]), expected(index, vector, 20, ["hr"]))


@pytest.mark.usefixtures("large")
def test_a_restart_reads_the_cells_and_trains_nothing(tmp_path, monkeypatch):
    first = opened(tmp_path, *many(3000))

    def never(*_):
        raise AssertionError("the cells are in the file")

    monkeypatch.setattr(shelves, "find_cells", never)
    monkeypatch.setattr(nearest.Cells, "assign", lambda *_: np.empty(0, dtype=np.int32))
    second = opened(tmp_path, *many(3000), embedder=never)
    vector = embed([sentences(1, seed=8)[0]])
    assert first.search(vector, 20, ["it"]) == second.search(vector, 20, ["it"])


@pytest.mark.usefixtures("large")
def test_a_few_new_sentences_share_the_base_and_are_found_beside_it(tmp_path):
    before, seen = opened(tmp_path, *many(3000)), []

    def embedder(texts):
        seen.extend(texts)
        return embed(texts)

    changed = many(3000)
    texts = [*changed[3].content.phrasings[5:], "an entirely different matter"]
    changed[3] = version("it.p3", phrasings=texts)
    new = version("it.zebra", phrasings=["zebra crossing", "zebra again"], counterexamples=["no zebra"])
    after = opened(tmp_path, *changed, new, previous=before, embedder=embedder)
    assert sorted(seen) == sorted(["an entirely different matter", "zebra crossing", "zebra again", "no zebra"])
    assert after._shelves._base is before._shelves._base
    assert len(after) == 3000 - 5 + 4
    assert recall(after) >= 0.98
    for text in ("zebra crossing", "an entirely different matter"):
        assert after.search(embed([text]), 1, ["it"])[0].row.text == text
    for gone in many(3000)[3].content.phrasings[:5]:
        assert gone not in {hit.row.text for hit in after.search(embed([gone]), 64, ["it"])}
    assert after.nearest_counterexamples(embed(["no zebra"]), ["it.zebra"])["it.zebra"].score == pytest.approx(1.0)
    assert "zebra crossing" not in {hit.row.text for hit in before.search(embed(["zebra crossing"]), 9, ["it"])}
    assert np.array_equal(after.vectors_of(range(len(after))), embed([after.row(n).text for n in range(len(after))]))


@pytest.mark.usefixtures("large")
def test_one_change_after_another_finds_what_a_fresh_index_finds(tmp_path):
    index, live = None, {one.key: one for one in many(900)}
    for step in range(6):
        live[f"it.p{step}"] = version(f"it.p{step}", phrasings=sentences(45, seed=50 + step))
        live.pop(f"it.p{19 - step}")
        index = opened(tmp_path, *live.values(), previous=index)
        fresh = built(*live.values())
        assert [index.row(n) for n in range(len(index))] == [fresh.row(n) for n in range(len(fresh))]
        assert np.array_equal(index.vectors_of(range(len(index))), fresh.vectors_of(range(len(fresh))))
        vector = embed([sentences(1, seed=60 + step)[0]])
        wanted = expected(index, vector, 1, ["it"])
        assert index.search(vector, 64, ["it"])[0].score == pytest.approx(wanted[1][0], abs=0.05)


@pytest.mark.usefixtures("large")
def test_a_prompt_that_moves_to_another_area_is_found_there_alone(tmp_path):
    before = opened(tmp_path, *many(900))
    moved = many(900)
    moved[2] = version("it.p2", phrasings=moved[2].content.phrasings, area="hr")
    after = opened(tmp_path, *moved, previous=before)
    text = moved[2].content.phrasings[0]
    assert after.search(embed([text]), 1, ["hr"])[0].row.text == text
    assert text not in {hit.row.text for hit in after.search(embed([text]), 64, ["it"])}


def test_an_index_of_another_embedder_is_not_built_upon(tmp_path):
    before, seen = opened(tmp_path, version(), fingerprint="embedder-0"), []
    opened(tmp_path, version(), previous=before, embedder=lambda texts: seen.extend(texts) or embed(texts))
    assert seen == ["tell me about it.vpn"]


def test_a_large_file_is_written_again_only_when_it_lacks_enough(tmp_path, monkeypatch):
    monkeypatch.setattr("store.index._ALWAYS_WRITTEN_TO", 100)
    index = opened(tmp_path, *many(1000))
    for number in range(6):
        written = len(list(tmp_path.iterdir()))
        assert written == 1
        index = opened(tmp_path, *many(1000), *(version(f"it.z{n}") for n in range(number + 1)), previous=index)
    assert len(list(tmp_path.iterdir())) == 2
    restarted = []
    opened(
        tmp_path,
        *many(1000),
        *(version(f"it.z{n}") for n in range(7)),
        embedder=lambda texts: restarted.extend(texts) or embed(texts),
    )
    assert restarted == ["tell me about it.z6"]


class FakeGpu:
    """FAISS's GPU calls on the CPU."""

    class StandardGpuResources:
        def setTempMemory(self, size):  # noqa: N802 -- FAISS's name
            self.size = size

    class GpuClonerOptions:
        useFloat16 = False  # noqa: N815 -- FAISS's name


@pytest.mark.usefixtures("large")
def test_a_large_area_goes_to_the_gpu_when_there_is_one(monkeypatch):
    moved = []

    def to_gpu(resources, device, index, options):
        assert resources.size == nearest._GPU_MEMORY
        moved.append((device, options.useFloat16))
        return index

    monkeypatch.setattr(nearest.faiss, "get_num_gpus", lambda: 1)
    monkeypatch.setattr(nearest.faiss, "StandardGpuResources", FakeGpu.StandardGpuResources, raising=False)
    monkeypatch.setattr(nearest.faiss, "GpuClonerOptions", FakeGpu.GpuClonerOptions, raising=False)
    monkeypatch.setattr(nearest.faiss, "index_cpu_to_gpu", to_gpu, raising=False)
    index = built(*many(3000), *many(100, area="hr", seed=3))
    assert moved == [(0, True)]
    assert index._shelves._base.cells is None
    vector = embed([sentences(1, seed=8)[0]])
    assert_same(index.search(vector, 20, ["it", "hr"]), expected(index, vector, 20, ["it", "hr"]))
