"""What a decision says of the model that worded its answer: which weights it has, and how many tokens it took."""

from dataclasses import dataclass

from models.ports import Completion

BYTES_PER_TOKEN = 4
"""Of UTF-8, to estimate by: about what a token of English takes. Other languages take more tokens than that."""


@dataclass(frozen=True, slots=True)
class WeightsUsed:
    """What words an assistant's answers: the model's hash, and the name of its adapter, empty for none."""

    sha256: str
    adapter: str = ""


@dataclass(frozen=True, slots=True)
class TokensUsed:
    """How many tokens a model read and wrote."""

    read: int = 0
    written: int = 0

    @classmethod
    def of(cls, completion: Completion) -> "TokensUsed":
        """Returns them as the model counted them."""
        return cls(completion.prompt_token_count, completion.completion_tokens)

    @classmethod
    def estimated(cls, read: str, written: str) -> "TokensUsed":
        """Returns an estimate from the texts alone: a model that is stopped before its end tells no count."""
        return cls(_estimate(read), _estimate(written))


def _estimate(text: str) -> int:
    return -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN)
