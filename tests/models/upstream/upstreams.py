"""Upstream models for tests, and one way to ask them."""

import contextlib
import time
from collections.abc import Iterator

from models.ports import (
    ApprovedPrompt,
    Cancellation,
    Completion,
    OnText,
    PartKind,
    PromptPart,
    RenderedPrompt,
    Sampling,
)
from models.upstream.breaker import BreakerLimits
from models.upstream.model import UpstreamLimits, UpstreamModel
from models.upstream.target import PromptStyle, UpstreamTarget
from tests.models.prompts import approved

PROMPT = approved("When does the office open?", instructions="The office opens at eight.")


@contextlib.contextmanager
def upstream(
    url: str,
    *,
    style: PromptStyle = PromptStyle.CHAT,
    key: str = "",
    requests: int = 8,
    breaker: BreakerLimits | None = None,
) -> Iterator[UpstreamModel]:
    target = UpstreamTarget(
        url, "the-model", style=style, format_name="" if style is PromptStyle.CHAT else "chatml", key=key
    )
    model = UpstreamModel(target, UpstreamLimits(requests=requests, breaker=breaker or BreakerLimits()))
    model.start(10.0)
    try:
        yield model
    finally:
        model.close()


def ask(
    model: UpstreamModel,
    prompt: ApprovedPrompt = PROMPT,
    *,
    timeout_s: float = 20.0,
    cancellation: Cancellation | None = None,
    on_text: OnText | None = None,
    **sampling: object,
) -> Completion:
    return model.complete(
        prompt,
        Sampling(**sampling),
        deadline_s=time.monotonic() + timeout_s,
        cancellation=cancellation or Cancellation(),
        on_text=on_text,
    )


def with_slot(before: str, slot: str, after: str = "") -> ApprovedPrompt:
    parts = [PromptPart(before, PartKind.APPROVED), PromptPart(slot, PartKind.SLOT)]
    return ApprovedPrompt(RenderedPrompt((), (*parts, PromptPart(after, PartKind.APPROVED))))
