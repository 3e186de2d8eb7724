"""A policy's rails in NeMo's Colang engine: the same functions as actions, called by generated flows."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from rails.definition import NO_SERVICES, OnFail, RailDefinition, RailParams, RailServices, rail_name
from rails.dialog_colang import write_settings
from rails.nemo_dialog import ColangEngine
from rails.policy import PolicyDocument
from rails.registry import SHIPPED_RAILS
from rails.types import Stage

VARIABLES = {Stage.INPUT: "user_message", Stage.OUTPUT: "bot_message"}


def refusal(stage: Stage, rail: str) -> str:
    """Returns what a flow says when its rail blocks."""
    return f"(blocked on {stage.value} by {rail})"


def rails_in_colang(
    document: PolicyDocument,
    services: RailServices = NO_SERVICES,
    definitions: Mapping[str, RailDefinition] = SHIPPED_RAILS,
) -> ColangEngine:
    """Returns an engine whose input and output flows are the policy's rails, in the policy's order."""
    stages = {Stage.INPUT: document.input, Stage.OUTPUT: document.output}
    names = {stage: [f"check {stage.value} {rail_name(params)}" for params in stages[stage]] for stage in Stage}
    source = "\n".join(flow for stage in Stage for params in stages[stage] for flow in _flow(stage, params))
    settings = write_settings(input_flows=names[Stage.INPUT], output_flows=names[Stage.OUTPUT])
    actions = {
        _action_name(stage, params): _action(definitions[rail_name(params)], params, services)
        for stage in Stage
        for params in stages[stage]
    }
    return ColangEngine(source, settings, actions)


def _action_name(stage: Stage, params: RailParams) -> str:
    return f"{stage.value}_{rail_name(params)}"


def _flow(stage: Stage, params: RailParams) -> Iterator[str]:
    rail, variable = rail_name(params), VARIABLES[stage]
    yield f"define subflow check {stage.value} {rail}"
    yield f"  $outcome = execute {_action_name(stage, params)}(text=${variable})"
    yield "  if $outcome.is_blocked"
    yield f"    bot refuse {stage.value} {rail}"
    yield "    stop"
    if params.on_fail is OnFail.TRANSFORM:
        yield "  if $outcome.is_transform"
        yield f'    ${variable} = $outcome.transform_text["{variable}"]'
    yield ""
    yield f"define bot refuse {stage.value} {rail}"
    yield f'  "{refusal(stage, rail)}"'
    yield ""


def _action(definition: RailDefinition, params: RailParams, services: RailServices) -> Callable[..., Awaitable[Any]]:
    prepared = {} if definition.prepare is None else {"prepared": definition.prepare(params, services)}

    async def check(text: str = "") -> Any:
        return await definition.check(text=text, params=params, **prepared)

    return check
