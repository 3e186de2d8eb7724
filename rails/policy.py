"""The policy document: which rails run on a message and on an answer, and what a refused person is told."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from rails.checks.grounding import GroundingParams
from rails.checks.hidden import HiddenParams
from rails.checks.injection import InjectionParams
from rails.checks.language import LanguageParams
from rails.checks.length import LengthParams
from rails.checks.markup import MarkupParams
from rails.checks.pattern import PatternParams
from rails.checks.secrets import SecretsParams
from rails.checks.urls import UrlsParams
from rails.definition import RAIL_FIELD, rail_name
from rails.errors import PolicyInvalid
from rails.registry import SHIPPED_RAILS
from rails.types import Stage

InputRail = LengthParams | HiddenParams | LanguageParams | PatternParams | SecretsParams | InjectionParams
OutputRail = PatternParams | SecretsParams | UrlsParams | GroundingParams | MarkupParams

DEFAULT_REFUSAL = "default"
"""The key of the refusal text that serves every rail without one of its own."""

PolicyName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}\Z")]
LanguageTag = Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")]
RefusalText = Annotated[str, Meta(min_length=1, max_length=1000)]


class PolicyDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One policy as it is written, reviewed and stored; `load_policy` is the way to one."""

    name: PolicyName
    input: Annotated[tuple[InputRail, ...], Meta(min_length=1)]
    """Rails on the person's message, in the order in which they run."""
    output: Annotated[tuple[OutputRail, ...], Meta(min_length=1)]
    """Rails on the model's answer, in the order in which they run."""
    refusals: Annotated[dict[LanguageTag, dict[str, RefusalText]], Meta(min_length=1)]
    """Language, then rail or `default`, then the text that a person gets."""


def load_policy(mapping: Mapping[str, Any]) -> PolicyDocument:
    """Returns the policy that `mapping` (parsed YAML or JSON) describes.

    Raises `PolicyInvalid`; its message names the place and the remedy.
    """
    if not isinstance(mapping, Mapping):
        raise PolicyInvalid("a policy is a mapping with the keys name, input, output and refusals.")
    _check_keys("the policy", mapping, PolicyDocument.__struct_fields__)
    for stage in Stage:
        _check_stage(stage, mapping.get(stage.value))
    try:
        document = msgspec.convert(dict(mapping), PolicyDocument)
    except msgspec.ValidationError as error:
        raise PolicyInvalid(f"the policy does not fit its form: {error}. See the schema of policies.") from error
    _check_refusals(document)
    return document


def policy_schema() -> dict[str, Any]:
    """Returns the JSON Schema (2020-12) of a policy document."""
    return msgspec.json.schema(PolicyDocument)


def _check_stage(stage: Stage, entries: Any) -> None:
    if not isinstance(entries, list | tuple) or not entries:
        raise PolicyInvalid(
            f"{stage.value}: a policy needs at least one rail here. Add one, such as {_example(stage)}."
        )
    seen: set[str] = set()
    for position, entry in enumerate(entries):
        place = f"{stage.value}[{position}]"
        if not isinstance(entry, Mapping) or not isinstance(entry.get(RAIL_FIELD), str):
            raise PolicyInvalid(f"{place}: an entry is a mapping that names its rail, such as {_example(stage)}.")
        name = entry[RAIL_FIELD]
        definition = SHIPPED_RAILS.get(name)
        if definition is None:
            raise PolicyInvalid(f"{place}: there is no rail {name!r}. {_suggest(name, _names(stage))}")
        if stage not in definition.stages:
            there = " and ".join(sorted(other.value for other in definition.stages))
            raise PolicyInvalid(f"{place}: the rail {name!r} cannot run on {stage.value}. Move it to {there}.")
        if name in seen:
            raise PolicyInvalid(f"{place}: the rail {name!r} is here already. Keep one, with all its parameters.")
        seen.add(name)
        _check_keys(f"{place}, rail {name!r}", entry, (RAIL_FIELD, *definition.params.__struct_fields__))


def _check_refusals(document: PolicyDocument) -> None:
    used = {rail_name(params) for params in (*document.input, *document.output)}
    for language, texts in document.refusals.items():
        place = f"refusals.{language}"
        if DEFAULT_REFUSAL not in texts:
            raise PolicyInvalid(f"{place}: the text for every other case is missing. Add `{DEFAULT_REFUSAL}`.")
        for name, text in texts.items():
            if name not in used and name != DEFAULT_REFUSAL:
                raise PolicyInvalid(f"{place}: this policy runs no rail {name!r}. {_suggest(name, sorted(used))}")
            if not text.strip():
                raise PolicyInvalid(f"{place}.{name}: the text is blank. Write what a person should read.")


def _check_keys(place: str, mapping: Mapping[str, Any], known: Iterable[str]) -> None:
    allowed = tuple(known)
    for key in mapping:
        if key not in allowed:
            raise PolicyInvalid(f"{place}: {key!r} is not known here. {_suggest(str(key), allowed)}")


def _suggest(word: str, known: Iterable[str]) -> str:
    choices = list(known)
    near = difflib.get_close_matches(word, choices, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"Known are: {', '.join(choices)}."


def _names(stage: Stage) -> list[str]:
    return [name for name, definition in SHIPPED_RAILS.items() if stage in definition.stages]


def _example(stage: Stage) -> str:
    return f"`{{{RAIL_FIELD}: {_names(stage)[0]}}}`"
