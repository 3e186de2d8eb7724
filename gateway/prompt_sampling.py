"""How a prompt's author has the model choose its words: checked before it is published, and as the model gets it."""

from collections.abc import Iterable, Iterator

from models.errors import ModelRefused
from models.ports import Sampling
from models.worker.byte_table import ByteTable
from store.answer_form import grammar_of, require_form
from store.content import CanonicalPrompt, Generate, SamplingSettings
from store.formats.bundle import prompt_path


def sampling_of(approved: SamplingSettings, most_tokens: int | None = None) -> Sampling:
    """Returns the approved settings; a caller may shorten the answer. Raises `ValueError` for one out of range."""
    return Sampling(
        max_tokens=min(most_tokens or approved.max_tokens, approved.max_tokens),
        temperature=approved.temperature,
        top_p=approved.top_p,
        seed=approved.seed,
        stop=approved.stop,
        grammar=approved.grammar or (grammar_of(approved.answer_schema) if approved.answer_schema else ""),
    )


def unusable_sampling(prompts: Iterable[CanonicalPrompt]) -> Iterator[str]:
    """Gives a line for each prompt whose answers no model could choose the words of.

    Grammars are read and written out by what follows them in the worker: half a second at most for each.
    """
    for prompt in prompts:
        if not isinstance(prompt.reply, Generate):
            continue
        try:
            require_form(prompt)
            sampling = sampling_of(prompt.reply.sampling)
            if sampling.grammar:
                ByteTable(sampling.grammar)
        except (ValueError, ModelRefused) as error:
            yield f"{prompt_path(prompt.key)}: reply.sampling: {prompt.key} could not be answered: {error}"
