"""What NeMo keeps in the context that all flows share: no flow of a policy sets any of it, whatever NeMo brings."""

from collections.abc import Iterator

import pytest
from nemoguardrails.colang import parse_colang_file

from rails.colang_lint import READABLE, lint_colang
from rails.nemo import PACKAGE
from rails.nemo_library import library_names

FLOW = 'define bot answer\n  "Yes."\n\ndefine flow one\n  user other message\n  {}\n  bot answer\n'


def codes(step):
    return {finding.code for finding in lint_colang(FLOW.format(step), intents=["other message"])}


def set_by(steps: list[dict]) -> Iterator[str]:
    for step in steps:
        if step["_type"] == "set":
            yield step["key"]
        elif step["_type"] == "run_action" and step.get("action_result_key"):
            yield step["action_result_key"]


def set_by_nemo() -> frozenset[str]:
    """Returns what NeMo's own parser finds to be set in the Colang 1.0 files of the installed NeMo."""
    files = [*PACKAGE.rglob("*.v1.co"), PACKAGE / "rails" / "llm" / "llm_flows.co"]
    parsed = [parse_colang_file(path.name, path.read_text()) for path in files]
    return frozenset(name for one in parsed for flow in one["flows"] for name in set_by(flow["elements"]))


def test_every_value_that_a_flow_of_nemo_sets_is_known():
    assert len(set_by_nemo()) > 30
    assert set_by_nemo() <= library_names().variables


@pytest.mark.parametrize("name", sorted(library_names().variables | READABLE | {"_anything", "input_flows", "i"}))
def test_no_flow_sets_a_value_of_nemo_or_of_canongate(name):
    found = codes(f"${name} = True")
    assert found & {"colang.context_switch", "colang.configuration_object"}
    assert codes(f"${name} = execute something") & {"colang.context_switch", "colang.configuration_object"}


@pytest.mark.parametrize("name", ["is_first", "my_i", "input_flow", "seen"])
def test_a_flow_sets_values_of_its_own(name):
    assert codes(f"${name} = True") == set()


def test_what_the_runtime_reads_is_known_without_a_flow_that_names_it():
    assert {"skip_output_rails", "relevant_chunks", "last_bot_message", "generation_options", "config", "event"} <= (
        library_names().variables
    )
