"""Every example of the manual is run, or tried as far as it can be, or says here why not."""

import json
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import yaml

from rails.policy import load_policy
from store.formats.bundle import read_bundle
from store.formats.bundle_file import read_bundle_file
from store.formats.suite import read_suite
from tests.docs.examples import ROOT, commands_of, manual, require_command, require_settings, require_yaml
from tests.gateway.guides.code_blocks import RUN, Block

BLOCKS = list(manual())
SHELL = frozenset({"sh", "console"})
RUN_ELSEWHERE = {
    "guides": "tests/gateway/guides/test_guides_run.py",
    "how-to": "tests/docs/test_how_to.py",
    "tutorial": "tests/docs/test_tutorial.py",
    "api": "tests/docs/test_how_to.py",
    "README": "tests/docs/test_how_to.py",
}
"""Where the blocks of `RUN` on these pages are run."""
REASONS = {
    ("bundle", "text"): "is a list of files",
    ("changes", "text"): "is a drawing",
    ("cli", "text"): "is generated",
    ("decisions", "{toctree}"): "is the site's own",
    ("formats", "text"): "is two rows, which tests/store/formats hold for all rows",
    ("guides/embed", "html"): "is for a page; tests/gateway/widget has each form in a real browser",
    ("guides/embed", "javascript"): "is for a page; tests/gateway/widget has a frame that asks for a token",
    ("guides/embed", "text"): "is a header; tests/gateway/widget has it in a real browser",
    ("guides/identity", "html"): "is for a page; tests/gateway/widget fetches tokens in a real browser",
    ("guides/identity", "http"): "is a request; tests/gateway/widget sends it",
    ("guides/typescript", "text"): "is what the program above it prints, or what npm is told",
    ("guides/quick-start", "text"): "is what the program above it prints, or what pip is told",
    ("guides/webhooks", "http"): "is a request; tests/gateway/webhooks takes it",
    ("index", "{toctree}"): "is the site's own",
    ("integrations", "yaml"): "is a file of another program, which make test-clients runs",
    ("models", "text"): "is a grammar, which tests/models/grammar has",
    ("operating", "{toctree}"): "is the site's own",
    ("operating/proxies", "caddy"): "is for a proxy that is not installed here",
    ("operating/proxies", "nginx"): "is for a proxy that is not installed here",
    ("rails", "text"): "is what a command prints",
    ("telemetry", "yaml"): "is a file of Prometheus",
    ("threat-model", ""): "is a drawing",
    ("tutorial/first-widget", "text"): "is for terminals that stay open; the test of the tutorial starts both",
    ("widget", "json"): "is a form with alternatives, which tests/gateway/widget has",
    ("README", "html"): "is for a page; tests/gateway/widget has it in a real browser",
    ("README", "text"): "is a list of steps",
}


def _id(one: tuple[str, Block]) -> str:
    page, block = one
    return f"{page}-{block.number}-{block.language or 'plain'}"


def of(languages: frozenset[str]) -> list[Any]:
    found = [one for one in BLOCKS if one[1].language in languages and (one[0], one[1].language) not in REASONS]
    return [pytest.param(*one, id=_id(one)) for one in found]


def test_every_block_is_tried_or_says_why_not() -> None:
    open_ones = [
        _id((page, block))
        for page, block in BLOCKS
        if block.language not in SHELL | {"toml", "yaml", "json"}
        and not (block.language in RUN and page.split("/")[0] in RUN_ELSEWHERE)
        and (page, block.language) not in REASONS
        and not (block.language == "text" and follows_a_program(page, block))
    ]
    assert not open_ones


def follows_a_program(page: str, block: Block) -> bool:
    """Whether it is what the block before it prints, which is compared where that is run."""
    return any(other == page and one.expected == block.code for other, one in BLOCKS)


def test_no_reason_is_left_over() -> None:
    there = {(page, block.language) for page, block in BLOCKS}
    assert set(REASONS) <= there
    assert all((ROOT / path).is_file() for path in RUN_ELSEWHERE.values())


@pytest.mark.parametrize(("page", "block"), of(SHELL))
def test_a_command_is_there_and_takes_what_it_is_given(page: str, block: Block) -> None:
    found = list(commands_of(block.code))
    assert found, page
    for words in found:
        require_command(words)


@pytest.mark.parametrize("words", ["canongate serv", "canongate key create", "canongate fit --reprot x", "make rnu"])
def test_a_command_that_is_not_there_is_told(words: str) -> None:
    with pytest.raises(AssertionError):
        require_command(words.split())


@pytest.mark.parametrize(("page", "block"), of(frozenset({"toml"})))
def test_settings_are_those_of_the_gateway(page: str, block: Block) -> None:
    assert require_settings(block.code), page


@pytest.mark.parametrize(("page", "block"), of(frozenset({"json"})))
def test_json_is_json(page: str, block: Block) -> None:
    assert json.loads(block.code), page


@pytest.mark.parametrize(("page", "block"), of(frozenset({"yaml"})))
def test_a_document_is_one_of_ours(page: str, block: Block, tmp_path: Path) -> None:
    example = copytree(ROOT / "examples" / "helpdesk", tmp_path / "helpdesk")
    PLACES[page, block.heading](example, require_yaml(block.code))
    if (page, block.heading) not in {("bundle", "A test set"), ("rails", "Write"), ("formats", "Whole content")}:
        read_bundle(example)


def _prompt(folder: Path, said: Any) -> None:
    path = folder / "prompts" / "it" / "password-reset.yaml"
    document = yaml.safe_load(path.read_text())
    if "key" in said:
        document = said
    else:
        reply = document["reply"]
        document = {
            **document,
            "reply": {**reply, **said, "sampling": {**reply.get("sampling", {}), **said["sampling"]}},
        }
    path.write_text(yaml.safe_dump(document))


def _assistant(folder: Path, said: Any) -> None:
    path = folder / "assistants" / "helpdesk.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **said}))


def _dialog(folder: Path, said: Any) -> None:
    path = folder / "policies" / "helpdesk.yaml"
    document = yaml.safe_load(path.read_text())
    more = said if "dialog" in said else {"dialog": {**document["dialog"], **said}}
    path.write_text(yaml.safe_dump({**document, **more}))


def _suite(folder: Path, said: Any) -> None:
    path = folder / "suites" / "helpdesk.yaml"
    document = said if isinstance(said, dict) else {"name": "helpdesk", "title": "Words", "cases": said}
    path.write_text(yaml.safe_dump(document))
    read_suite(path)


def _policy(_: Path, said: Any) -> None:
    load_policy(said)


def _bundle(folder: Path, said: Any) -> None:
    path = folder / "bundle-one.yaml"
    path.write_text(yaml.safe_dump(said))
    assert read_bundle_file(path).prompts


PLACES: dict[tuple[str, str], Callable[[Path, Any], None]] = {
    ("bundle", "A prompt"): _prompt,
    ("bundle", "An assistant"): _assistant,
    ("bundle", "Dialog"): _dialog,
    ("bundle", "A test set"): _suite,
    ("formats", "Whole content"): _bundle,
    ("matching", "Where the limits come from"): _assistant,
    ("models", "Licences without commercial use"): _assistant,
    ("rails", "Write"): _policy,
}
"""What is made of YAML, by its page and heading."""
