"""Blocks answers that carry markup, active links or a model's control tokens instead of plain text."""

from rails.definition import Probes, RailDefinition, RailParams, probes_of
from rails.matching import PatternSet
from rails.nemo import RailOutcome, verdict
from rails.types import Stage

_MARKUP = PatternSet(
    {
        "control_token": r"<\|[^|<>\n]{1,40}\|?>|</?s>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>"
        r"|<(?:bos|eos|pad|unk)>"
        r"|(?m:^\s*#{2,4} ?(?:instruction|response|input|system|human|assistant)\b)"
        r"|(?m:^\s*(?:<(?:system|user|assistant)>|(?:system|user|assistant|human) ?:))",
        "html": r"<(?:!--|!doctype|\?xml|/?[a-z][a-z0-9:-]{0,30}(?:[\s/][^<>]{0,1000})?>)"
        r"|<(?:script|img|svg|iframe|object|"
        r"embed|style|link|meta|form|body|video|audio|base)\b",
        "image": r"!\[[^\]]{0,500}\]\s{0,3}[(\[]",
        "active_link": r"(?:java|vb|live)script\s{0,5}:|data\s{0,3}:\s{0,3}[a-z]{1,20}/|&#x?[0-9a-f]{1,7};?",
        "template": r"\{\{[^\n]{0,300}\}\}|\{%[^\n]{0,300}%\}|\$\{[^\n]{0,300}\}",
    }
)


class MarkupParams(RailParams, frozen=True, kw_only=True, tag="markup"):
    """Has no parameters: answers are plain text."""


def find(text: str) -> str | None:
    """Returns the reason to block `text`, or None."""
    found = _MARKUP.find(text)
    return None if found is None else f"markup.{found}"


async def check(text: str, params: MarkupParams) -> RailOutcome:  # noqa: ARG001 - every check takes its parameters
    """Returns the verdict on markup in `text`."""
    return verdict(find(text))


def _probes(_params: MarkupParams) -> Probes:
    return probes_of(
        blocked=["See <b>here</b>", "![logo](https://a.example/x.png)", "[here](javascript:go())", "Done.<|im_end|>"],
        passed=["Call extension 4400 if 3 < 5; the portal (see [1]) is open at 9:00."],
    )


RAIL = RailDefinition(name="markup", stages=frozenset({Stage.OUTPUT}), params=MarkupParams, check=check, probes=_probes)
