"""What the sandbox's child says about a policy; the form of what goes through its pipe."""

from enum import StrEnum

import msgspec

from rails.types import Stage


class RailState(StrEnum):
    """What became of one rail in the sandbox."""

    READY = "ready"
    """It was built, stopped its own bad examples and passed its good ones."""
    DEFERRED = "deferred"
    """It was built, and asked for a service that the sandbox does not have; its examples are tried outside."""
    REFUSED = "refused"
    """It cannot be built, or does not do what it is there for."""


class RailTrial(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rail of the policy, tried."""

    stage: Stage
    rail: str
    state: RailState
    words: str = ""
    """Why it was refused."""
    ms: float = 0.0


class SandboxReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What came of building a policy in the sandbox."""

    rails: tuple[RailTrial, ...] = ()
    problem: str = ""
    """Why there is no whole answer: a limit was reached, or the policy cannot be read; empty when all was tried."""
    cpu_ms: float = 0.0
    """Used for the policy, without the imports."""
    peak_mib: int = 0
    """Address space that was used at most."""

    @property
    def is_ready(self) -> bool:
        """Whether nothing speaks against the policy."""
        return not self.problem and bool(self.rails) and all(one.state is not RailState.REFUSED for one in self.rails)

    @property
    def problems(self) -> tuple[str, ...]:
        """What speaks against it, in words."""
        refused = (one.words for one in self.rails if one.state is RailState.REFUSED)
        return (*((self.problem,) if self.problem else ()), *refused)
