"""The one prompt of our own that asks the language model for other wordings, and how its words are read.

It holds our instruction and phrasings that were approved; nothing that a person typed into a chat.
"""

import re
from collections.abc import Iterator, Sequence

from models.ports import ApprovedPrompt, PartKind, PromptPart, RenderedPrompt

INSTRUCTION = (
    "You write other ways to ask the same question. Keep the meaning, change the words. "
    "Write one question on each line and nothing else."
)
_BULLET = re.compile(r"^\s*(?:[-*•]|\(?\d{1,2}[.):])\s*")
_LABEL = re.compile(r"^(?:question|answer|q|a)\s*\d*\s*:\s*", re.IGNORECASE)
_QUOTES = "\"'“”„«»`* "


def paraphrase_prompt(phrasings: Sequence[str], count: int) -> ApprovedPrompt:
    """Returns the prompt for so many other wordings of approved phrasings."""
    listed = "\n".join(f"- {phrasing}" for phrasing in phrasings)
    asked = f"These questions mean the same:\n{listed}\nWrite {count} more questions that mean the same."
    instruction = PromptPart(INSTRUCTION, PartKind.APPROVED)
    return ApprovedPrompt(RenderedPrompt((instruction,), (PromptPart(asked, PartKind.APPROVED),)))


def read_lines(answer: str, *, is_whole: bool) -> Iterator[str]:
    """Yields the sentences of an answer; the last one only when the model came to its end."""
    lines = answer.splitlines()
    for line in lines if is_whole else lines[:-1]:
        text = _LABEL.sub("", _BULLET.sub("", line)).strip(_QUOTES)
        if text:
            yield text
