"""Says approved prompts as rows, so that they can be written in any format: each phrasing with the approved answer."""

from collections.abc import Iterable, Iterator

from store.content import Generate, PromptVersion
from store.formats.rows import Case, Instruction


def rows_of_prompts(prompts: Iterable[PromptVersion]) -> Iterator[Instruction]:
    """Gives a row for each phrasing, by key. Blanks stay blanks: `{site}`."""
    for version in sorted(prompts, key=lambda version: version.key):
        prompt = version.content
        answer = prompt.reply.fallback if isinstance(prompt.reply, Generate) else prompt.reply.answer
        facts = prompt.reply.facts if isinstance(prompt.reply, Generate) else ""
        for number, phrasing in enumerate(prompt.phrasings, 1):
            yield Instruction(
                instruction=phrasing,
                cases=(Case(answer),),
                context=facts,
                id=f"{prompt.key}@{version.number}#{number}",
                title=prompt.title,
                category=prompt.area,
                source=f"{prompt.key}@{version.number}",
                language=prompt.language,
            )
