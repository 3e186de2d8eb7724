"""The TypeScript client is what the gateway sends, and the package gives it to a program with its types."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from gateway.client.errors import _ADVICE
from tests.gateway.client.typescript_client import CLIENT, PACKAGE, TypeScriptCanongate
from tests.gateway.guides.code_blocks import blocks_of
from tests.serving import serving

ROOT = PACKAGE.parents[2]
WIRE = (PACKAGE / "src" / "client" / "wire.ts").read_text(encoding="utf-8")
SCHEMAS = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))["components"]["schemas"]
NAMES = {
    "Prompt": "PromptReply",
    "Suggestion": "SuggestionReply",
    "Slot": "SlotReply",
    "Contact": "ContactReply",
    "Usage": "UsageReply",
    "Cached": "CachedReply",
    "MatchScores": "MatchReply",
    "RailVerdict": "RailReply",
    "Trace": "TraceReply",
    "Answer": "ChatReply",
    "Candidate": "CandidateReply",
    "Limits": "LimitsReply",
    "MatchTrial": "MatchTrialReply",
    "CheckedRail": "CheckedRailReply",
    "Check": "CheckReply",
    "Feedback": "FeedbackReply",
    "AboutAssistant": "AssistantReply",
    "Model": "ModelReply",
    "Models": "ModelsReply",
    "ErrorBody": "ErrorReply",
    "ChatBody": "ChatRequest",
    "MatchBody": "MatchRequest",
    "CheckBody": "CheckRequest",
    "FeedbackBody": "FeedbackRequest",
}
"""Of our interfaces in the schemas."""
ENUMS = {"Outcome", "Step", "CheckStatus", "RailStatus", "Verdict", "KeepsText", "FeedbackReason"}
_INTERFACE = re.compile(r"^export interface (\w+) \{\n(.*?)^\}", re.DOTALL | re.MULTILINE)
_FIELD = re.compile(r"^  (\w+)(\??): (.+);$", re.MULTILINE)
_UNION = re.compile(r"^export type (\w+) =([^;]+);", re.MULTILINE)
INTERFACES = {name: {one[0]: one[1:] for one in _FIELD.findall(body)} for name, body in _INTERFACE.findall(WIRE)}
UNIONS = {name: set(re.findall(r'"(\w+)"', body)) for name, body in _UNION.findall(WIRE)}


def type_of(schema: dict) -> str:
    """Gives a schema's type as TypeScript has it, with the names of the schemas, and closed sets as their members."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return type_of(SCHEMAS[name]) if "enum" in SCHEMAS[name] and name != "Gate" else name
    if "anyOf" in schema:
        return " | ".join(type_of(one) for one in schema["anyOf"])
    if "enum" in schema:
        return "|".join(sorted(schema["enum"]))
    if schema["type"] == "array":
        return f"{type_of(schema['items'])}[]"
    if schema["type"] == "object":
        return f"Record<string, {type_of(schema['additionalProperties'])}>"
    return {"integer": "number"}.get(schema["type"], schema["type"])


def named(type_text: str) -> str:
    """Gives one of our types in the names of the schemas, and closed sets as their members."""

    def name(found: re.Match[str]) -> str:
        word = found[0]
        return "|".join(sorted(UNIONS[word])) if word in UNIONS else NAMES.get(word, word)

    return re.sub(r"\b[A-Z]\w+\b", name, type_text).replace('"', "")


def test_every_interface_has_a_schema_to_be_held_against():
    assert INTERFACES.keys() == NAMES.keys()
    assert UNIONS.keys() >= ENUMS


@pytest.mark.parametrize(("mine", "theirs"), NAMES.items(), ids=NAMES)
def test_the_fields_and_their_types_are_those_of_the_published_description(mine: str, theirs: str) -> None:
    schema, fields = SCHEMAS[theirs], INTERFACES[mine]
    assert list(fields) == list(schema["properties"])
    assert {name for name, (mark, _) in fields.items() if not mark} == set(schema["required"])
    is_sent = mine.endswith("Body") and mine != "ErrorBody"
    for name, (mark, given) in fields.items():
        told = type_of(schema["properties"][name]).replace("Gate", "string")
        if is_sent and mark:
            told = told.replace(" | null", "") + " | undefined"
        assert named(given) == told, name


@pytest.mark.parametrize("name", sorted(ENUMS))
def test_closed_sets_have_the_same_members(name: str) -> None:
    assert UNIONS[name] == set(SCHEMAS[name]["enum"])


def test_the_package_and_its_client_have_the_version_of_the_gateway() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    package = json.loads((PACKAGE / "package.json").read_text())
    lock = json.loads((PACKAGE / "package-lock.json").read_text())
    assert {package["version"], lock["version"], lock["packages"][""]["version"]} == {version}
    if CLIENT.exists():
        assert f"canongate-typescript/${{{json.dumps(version)}}}" in CLIENT.read_text()


def test_both_clients_advise_alike() -> None:
    source = (PACKAGE / "src" / "client" / "errors.ts").read_text(encoding="utf-8")
    told = dict(re.findall(r'^  (\w+): "(.+)",$', source, re.MULTILINE))
    assert told == {code: words.replace("retry_after_s", "retryAfterS") for code, words in _ADVICE.items()}


def test_a_signal_stops_a_call_with_its_own_reason(world) -> None:
    world.model.delay_s = 30.0
    with serving(world.app) as (address, _):
        client = TypeScriptCanongate(address, key=world.key(), assistant="helpdesk")
        with client, pytest.raises(RuntimeError, match="TimeoutError"):
            client.stopped("I forgot my password", after_ms=200)


@pytest.mark.parametrize("resolution", ["nodenext", "bundler"])
def test_a_program_in_typescript_compiles_against_the_package(tmp_path: Path, resolution: str) -> None:
    compiler = PACKAGE / "node_modules" / ".bin" / "tsc"
    if not compiler.exists() or not CLIENT.exists() or shutil.which("node") is None:
        (pytest.fail if os.geteuid() == 0 else pytest.skip)("the TypeScript client was not built: `make setup`")
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "canongate-widget").symlink_to(PACKAGE)
    blocks = [one.code for one in blocks_of("typescript") if one.language == "typescript"]
    assert blocks
    environment = "declare const process: { env: Record<string, string | undefined> };\n"
    for number, code in enumerate(blocks):
        (tmp_path / f"block{number}.mts").write_text(environment + code)
    (tmp_path / "wrong.mts").write_text('import { Canongate } from "canongate-widget/client";\nnew Canongate(4711);\n')
    module = "nodenext" if resolution == "nodenext" else "esnext"
    command = [str(compiler), "--noEmit", "--strict", "--target", "es2022", "--module", module]
    command += ["--moduleResolution", resolution, "--lib", "es2023,dom,dom.asynciterable", "--types", ""]

    def compiled(*names: str) -> str:
        files = [str(tmp_path / name) for name in names]
        return subprocess.run([*command, *files], capture_output=True, text=True, check=False, cwd=tmp_path).stdout  # noqa: S603

    assert compiled(*(f"block{number}.mts" for number in range(len(blocks)))) == ""
    assert "error TS" in compiled("wrong.mts")
