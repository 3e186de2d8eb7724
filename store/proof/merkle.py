"""The Merkle tree hash of RFC 6962, kept as the roots of its full subtrees so that it grows a leaf at a time."""

from dataclasses import dataclass, field
from hashlib import sha256


@dataclass(slots=True)
class MerkleTree:
    """A tree that only grows; memory is one hash for each bit of its size."""

    size: int = 0
    _roots: list[bytes] = field(default_factory=list)
    """Of the full subtrees, the largest first: one for each bit that is set in `size`."""

    def add(self, leaf: bytes) -> None:
        """Adds a leaf on the right."""
        root = sha256(b"\x00" + leaf).digest()
        joined = self.size
        while joined & 1:
            root = sha256(b"\x01" + self._roots.pop() + root).digest()
            joined >>= 1
        self._roots.append(root)
        self.size += 1

    @property
    def root(self) -> bytes:
        """The hash of the whole tree (RFC 6962, 2.1); of an empty one the hash of nothing."""
        if not self._roots:
            return sha256(b"").digest()
        *left, root = self._roots
        for one in reversed(left):
            root = sha256(b"\x01" + one + root).digest()
        return root
