import io
import os
import random
import stat
import subprocess
import sys
import textwrap
import time
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from store_content import DIMENSION, embed, version

from store.catalog import Catalog
from store.errors import IndexUnusable, StoreUnavailable
from store.index import PromptIndex
from store.snapshot import Snapshot, SnapshotFolder, read_snapshot


def snapshot(revision=7, count=3, cells=2):
    vectors = embed([f"word{n}" for n in range(count)])
    digests = np.array([list(sha256(b"%d" % n).digest()) for n in range(count)], dtype=np.uint8).reshape(-1, 32)
    return Snapshot(
        fingerprint="embedder-1",
        dimension=DIMENSION,
        revision=revision,
        content_hash="ab" * 32,
        digests=digests,
        vectors=vectors,
        assigned=np.arange(count, dtype=np.int32) % cells,
        centres=vectors[:cells],
    )


def encoded(one=None):
    return b"".join((one or snapshot()).parts())


def decode(data, fingerprint="embedder-1", dimension=DIMENSION):
    return read_snapshot(io.BytesIO(data), len(data), fingerprint=fingerprint, dimension=dimension)


class Counting:
    def __init__(self):
        self.texts = []

    def __call__(self, texts):
        self.texts += texts
        return embed(texts)


def catalog(*versions, revision=1):
    return Catalog(revision, {one.key: one for one in versions}, {}, {})


def opened(folder, embedder, *versions, fingerprint="embedder-1", revision=1):
    return PromptIndex.open(
        catalog(*versions, revision=revision), embedder, fingerprint=fingerprint, dimension=DIMENSION, folder=folder
    )


def test_a_snapshot_comes_back_as_it_was():
    back, before = decode(encoded()), snapshot()
    assert (back.revision, back.content_hash) == (7, "ab" * 32)
    for name in ("digests", "vectors", "assigned", "centres"):
        assert np.array_equal(getattr(back, name), getattr(before, name))
        assert not getattr(back, name).flags.writeable


def test_an_empty_snapshot_comes_back():
    back = decode(encoded(snapshot(count=0, cells=1)))
    assert len(back.vectors) == 0
    assert back.find(snapshot().digests).tolist() == [-1, -1, -1]


def test_texts_are_found_by_the_whole_of_their_hash():
    one = snapshot(count=1000)
    order = np.random.default_rng(1).permutation(1000)
    assert one.find(one.digests[order]).tolist() == order.tolist()
    nearly = one.digests[:3].copy()
    nearly[:, 31] ^= 1
    assert one.find(nearly).tolist() == [-1, -1, -1]


def test_500_changes_of_a_single_byte_are_all_detected():
    data, dice = encoded(), random.Random(1)  # noqa: S311 -- chooses where to break things
    places = [*range(160), *(dice.randrange(160, len(data)) for _ in range(340))]
    for place in places:
        changed = bytearray(data)
        changed[place] ^= dice.randrange(1, 256)
        with pytest.raises(IndexUnusable):
            decode(bytes(changed))


@pytest.mark.parametrize("size", [0, 1, 100, 150, -1])
def test_a_truncated_snapshot_is_detected(size):
    with pytest.raises(IndexUnusable):
        decode(encoded()[:size])


def test_a_file_that_is_shorter_than_it_was_when_it_was_measured_is_detected():
    data = encoded()
    with pytest.raises(IndexUnusable):
        read_snapshot(io.BytesIO(data[:-4]), len(data), fingerprint="embedder-1", dimension=DIMENSION)


def test_bytes_after_the_end_are_detected():
    with pytest.raises(IndexUnusable):
        decode(encoded() + b"\0")


def test_a_file_of_an_older_format_is_refused():
    data = bytearray(encoded())
    data[8] = 1
    end = 8 + 2 + 4 * 3 + 8 + 32 * 3
    data[end : end + 32] = sha256(data[:end]).digest()
    with pytest.raises(IndexUnusable, match="another format"):
        decode(bytes(data))


def test_another_embedder_or_dimension_is_refused():
    for fingerprint, dimension in (("embedder-2", DIMENSION), ("embedder-1", DIMENSION // 2)):
        with pytest.raises(IndexUnusable, match="another embedder"):
            decode(encoded(), fingerprint, dimension)


def test_a_restart_with_an_unchanged_store_embeds_nothing(tmp_path):
    first, second = Counting(), Counting()
    before = opened(tmp_path, first, version())
    after = opened(tmp_path, second, version())
    assert first.texts
    assert second.texts == []
    vector = embed(["tell me about it.vpn"])
    assert before.search(vector, 5, ["it"])[0].score == after.search(vector, 5, ["it"])[0].score
    assert len(list(tmp_path.iterdir())) == 1


def test_only_new_sentences_are_embedded(tmp_path):
    opened(tmp_path, Counting(), version())
    counting = Counting()
    opened(tmp_path, counting, version(), version("it.mail"), revision=2)
    assert counting.texts == ["tell me about it.mail"]


def test_a_damaged_file_is_named_and_rebuilt_and_the_older_generation_helps(tmp_path, caplog):
    opened(tmp_path, Counting(), version())
    opened(tmp_path, Counting(), version(), version("it.mail"), revision=2)
    newest = max(tmp_path.iterdir())
    data = bytearray(newest.read_bytes())
    data[-1] ^= 1
    newest.write_bytes(data)
    counting = Counting()
    index = opened(tmp_path, counting, version(), version("it.mail"), revision=2)
    assert counting.texts == ["tell me about it.mail"]
    assert f"index_file_not_used: {newest}: the index file's payload is damaged" in caplog.text
    assert len(index) == 2


def test_two_generations_are_kept_and_strays_removed(tmp_path):
    (tmp_path / "index-000000000001-99.tmp").write_bytes(b"half")
    folder = SnapshotFolder(tmp_path)
    for _ in range(4):
        folder.write(snapshot())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index-000000000003.bin", "index-000000000004.bin"]
    assert stat.S_IMODE(max(tmp_path.iterdir()).stat().st_mode) == 0o600


def test_a_link_is_not_followed(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(encoded())
    folder = tmp_path / "index"
    folder.mkdir()
    (folder / "index-000000000001.bin").symlink_to(elsewhere)
    assert SnapshotFolder(folder).newest(fingerprint="embedder-1", dimension=DIMENSION) is None


def test_a_folder_that_cannot_be_written_is_an_error_of_ours_and_the_index_still_serves(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreUnavailable):
        SnapshotFolder(tmp_path / "file").write(snapshot())
    assert len(opened(tmp_path / "file", Counting(), version())) == 1
    assert "index_snapshot_not_written" in caplog.text


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_leaves_no_file(tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreUnavailable, match="No space left"):
        SnapshotFolder(tmp_path).write(snapshot())
    assert list(tmp_path.iterdir()) == []


def test_kill_9_while_writing_never_leaves_a_half_snapshot(tmp_path):
    script = textwrap.dedent(f"""
        import sys
        from pathlib import Path
        import numpy as np
        from store.snapshot import Snapshot, SnapshotFolder
        vectors = np.zeros((3000, 64), dtype=np.float32)
        digests, cells = np.zeros((3000, 32), dtype=np.uint8), np.zeros(3000, dtype=np.int32)
        folder = SnapshotFolder(Path({str(tmp_path)!r}))
        print("ready", flush=True)
        for n in range(10**6):
            folder.write(Snapshot("embedder-1", 64, n, "ab" * 32, digests, vectors, cells, vectors[:1]))
    """)
    dice, revision = random.Random(2), 0  # noqa: S311 -- chooses where to break things
    for _ in range(5):
        process = subprocess.Popen(  # noqa: S603 -- our own script
            [sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
        )
        process.stdout.readline()
        time.sleep(0.02 + dice.random() / 10)
        process.kill()
        process.wait()
        process.stdout.close()
        for path in tmp_path.glob("index-*.bin"):
            decode(path.read_bytes(), dimension=64)
            revision += 1
    assert revision
