"""Approved prompts for the tests of this folder; the gateway's own are built in its pipeline."""

from models.ports import ApprovedPrompt, PartKind, PromptPart, RenderedPrompt


def approved(question, *, instructions="", slot=None, assistant=""):
    parts = [PromptPart(question, PartKind.APPROVED)]
    if slot is not None:
        parts.append(PromptPart(slot, PartKind.SLOT))
    texts = (PromptPart(instructions, PartKind.APPROVED),) if instructions else ()
    return ApprovedPrompt(RenderedPrompt(texts, tuple(parts), assistant))
