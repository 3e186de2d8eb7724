"""The rails that ship with canongate, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from rails.checks import grounding, hidden, injection, language, length, markup, pattern, secrets, urls
from rails.definition import RailDefinition

SHIPPED_RAILS: Mapping[str, RailDefinition] = MappingProxyType(
    {
        module.RAIL.name: module.RAIL
        for module in (length, hidden, language, pattern, secrets, injection, urls, grounding, markup)
    }
)
"""Every rail that a policy may name."""
