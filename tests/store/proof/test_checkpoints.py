"""Checkpoints are signed notes over the tree hash of RFC 6962."""

import base64
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.errors import InvalidContent, StoreUnavailable
from store.proof.checkpoints import Checkpoint, CheckpointFile, parse_checkpoints, require_signed
from store.proof.merkle import MerkleTree
from store.proof.signing import Signer, Verifier

SIGNER = Signer(b"s" * 32)


def tree_hash(leaves: list[bytes]) -> bytes:
    """As RFC 6962, 2.1, defines it."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\x01" + tree_hash(leaves[:split]) + tree_hash(leaves[split:])).digest()


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_the_tree_has_the_hash_of_rfc_6962_at_every_size(leaves: list[bytes]) -> None:
    tree = MerkleTree()
    for number, leaf in enumerate(leaves):
        assert tree.root == tree_hash(leaves[:number])
        tree.add(leaf)
    assert (tree.root, tree.size) == (tree_hash(leaves), len(leaves))


def test_a_checkpoint_is_a_signed_note() -> None:
    note = Checkpoint.make(7, b"r" * 32, SIGNER).note
    origin, size, root, blank, signature, end = note.split("\n")
    assert (size, base64.b64decode(root), blank, end) == ("7", b"r" * 32, "", "")
    dash, name, encoded = signature.split(" ")
    assert (dash, name) == ("—", origin)
    assert base64.b64decode(encoded)[:4] == SIGNER.verifier.key_id
    assert len(base64.b64decode(encoded)) == 4 + 64


def test_a_public_key_is_read_back_and_a_damaged_one_is_refused() -> None:
    text = str(SIGNER.verifier)
    assert Verifier.parse(text) == SIGNER.verifier
    for wrong in ("", "name", text[:-4], text.replace("canongate", "other", 1), text + "x"):
        with pytest.raises(ValueError, match="key"):
            Verifier.parse(wrong)
    assert "ssss" not in repr(SIGNER)


def test_a_checkpoint_that_says_something_else_is_not_signed() -> None:
    good = Checkpoint.make(7, b"r" * 32, SIGNER)
    require_signed([good], SIGNER.verifier)
    more = Checkpoint(good.origin, 8, good.root, good.signature)
    other = Checkpoint.make(7, b"r" * 32, Signer(b"t" * 32))
    for wrong in (more, other):
        with pytest.raises(InvalidContent):
            require_signed([good, wrong], SIGNER.verifier)


def test_checkpoints_are_added_to_a_private_file_and_read_back_in_order(tmp_path: Path) -> None:
    file = CheckpointFile(tmp_path / "new" / "checkpoints")
    assert file.read() == ()
    made = tuple(Checkpoint.make(size, bytes([size]) * 32, SIGNER) for size in (1, 5, 9))
    for one in made:
        file.append(one)
    assert file.read() == made
    assert file.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "damage", [lambda t: t[:-9], lambda t: t.replace("\n\n—", "\n—"), lambda t: t.replace("—", "-")]
)
def test_a_file_that_is_not_whole_is_refused(damage) -> None:
    text = "".join(Checkpoint.make(size, b"r" * 32, SIGNER).note + "\n" for size in (1, 2))
    with pytest.raises(InvalidContent, match="Restore"):
        parse_checkpoints(damage(text))


def test_a_file_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable):
        CheckpointFile(tmp_path / "file" / "checkpoints").append(Checkpoint.make(1, b"r" * 32, SIGNER))
    (tmp_path / "bad").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidContent):
        CheckpointFile(tmp_path / "bad").read()
