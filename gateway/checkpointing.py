"""Writes a signed checkpoint of the audit trail every thousand rows or every hour, if the trail is whole."""

import logging
import time
from collections.abc import Callable
from threading import Lock

import anyio
from anyio import CapacityLimiter, to_thread

from gateway.errors import NotServing
from gateway.repeated_log import RepeatedLog
from store.database import Database
from store.errors import InvalidContent, StoreUnavailable
from store.proof.checkpoints import Checkpoint, CheckpointFile, require_signed
from store.proof.signing import Signer, Verifier
from store.proof.verification import TrailWalk, Verification, last_number, verify_trail

ROWS = 1000
PERIOD_S = 3600.0
"""A checkpoint is due after so many rows, or so long after the first row that none proves."""
LOOK_S = 30.0

_LOG = logging.getLogger(__name__)


class Checkpointing:
    """Verifies the trail and signs what it found. Nothing is signed that does not go on from the last checkpoint."""

    def __init__(
        self,
        database: Database,
        key: bytes,
        signer: Signer,
        file: CheckpointFile,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._key = key
        self._signer = signer
        self._file = file
        self._clock = clock
        self._walk: TrailWalk | None = None
        self._signed = 0
        self._unproved_since: float | None = None
        self._failures = RepeatedLog(_LOG, "audit_checkpoint_failed", "audit_checkpoint_written", clock=clock)
        self.is_damaged = False
        """Whether the trail, or its file of checkpoints, was found damaged when somebody last walked it."""
        self._guard = Lock()
        self._thread = CapacityLimiter(1)

    @property
    def verifier(self) -> Verifier:
        """The key that checkpoints are verified with."""
        return self._signer.verifier

    @property
    def file(self) -> CheckpointFile:
        """Where they are."""
        return self._file

    def verify(self, checkpoints: tuple[Checkpoint, ...] | None = None) -> Verification:
        """Verifies the whole trail against its checkpoints, or against those that are given. Blocks for seconds.

        Raises `InvalidContent` for a checkpoint that is not ours, and `StoreUnavailable`.
        """
        proofs = self._file.read() if checkpoints is None else checkpoints
        require_signed(proofs, self.verifier)
        return verify_trail(self._database, self._key, proofs)

    def write(self) -> Checkpoint | None:
        """Signs the trail as it is and returns the checkpoint; None when the last one says the same. Blocks.

        Raises `NotServing` when the trail is damaged, with the place: that is never signed; `InvalidContent` for a
        checkpoint that is not ours, and `StoreUnavailable`.
        """
        with self._guard:
            try:
                walk = self._advanced()
            except InvalidContent:
                self.is_damaged = True
                raise
            self.is_damaged = walk.fault is not None
            if self.is_damaged:
                raise NotServing("audit_damaged", f"The audit trail is damaged ({walk.fault}), so it is not signed.")
            if walk.size == self._signed:
                return None
            made = Checkpoint.make(walk.size, walk.tree.root, self._signer)
            self._file.append(made)
            self._signed, self._unproved_since = made.size, None
            return made

    def look(self) -> Checkpoint | None:
        """Writes a checkpoint if one is due, or if what was signed is no longer there. Blocks; raises as `write`."""
        number = last_number(self._database)
        is_due = self._walk is None or self._walk.is_overtaken(self._database)
        if number == self._signed and not is_due:
            self._unproved_since = None
            return None
        now = self._clock()
        if self._unproved_since is None:
            self._unproved_since = now
        is_due = is_due or number - self._signed >= ROWS or now - self._unproved_since >= PERIOD_S
        return self.write() if is_due else None

    async def follow(self) -> None:
        """Looks again and again whether one is due."""
        while True:
            try:
                if await to_thread.run_sync(self.look, limiter=self._thread) is not None:
                    self._failures.went()
            except (NotServing, InvalidContent) as error:
                _LOG.critical("audit_damaged: %s", error)
            except StoreUnavailable as error:
                self._failures.failed(str(error))
            await anyio.sleep(LOOK_S)

    def _advanced(self) -> TrailWalk:
        """Returns the walk at the end of the trail, or at its first fault."""
        walk = self._walk
        if walk is None or walk.fault is not None:
            # The first look, or one after damage: everything is looked at, and compared with every checkpoint.
            proofs = self._file.read()
            require_signed(proofs, self.verifier)
            walk = TrailWalk(self._key)
            walk.advance(self._database, proofs)
            self._walk, self._signed = walk, max((one.size for one in proofs), default=0)
        else:
            walk.advance(self._database)
        return walk
