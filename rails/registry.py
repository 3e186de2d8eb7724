"""The rails that ship with canongate, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from rails.checks import (
    attacks,
    grounding,
    hidden,
    injection,
    language,
    length,
    markup,
    pattern,
    personal,
    protected,
    refusal,
    relevance,
    repetition,
    secrets,
    self_check,
    topic,
    toxicity,
    urls,
)
from rails.definition import RailDefinition

SHIPPED_RAILS: Mapping[str, RailDefinition] = MappingProxyType(
    {
        module.RAIL.name: module.RAIL
        for module in (
            length,
            hidden,
            language,
            pattern,
            personal,
            secrets,
            protected,
            injection,
            toxicity,
            attacks,
            topic,
            urls,
            grounding,
            markup,
            refusal,
            relevance,
            repetition,
            self_check,
        )
    }
)
"""Every rail that a policy may name."""
