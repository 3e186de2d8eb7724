"""The words of the pages: each language has all of them, and every closed set has words."""

import ast
import datetime as dt
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.changing.needs import Need
from gateway.changing.prompt_lists import Standing
from gateway.decision_archive import RevealReason
from gateway.http.pages.audit import KINDS
from gateway.http.pages.browsers import browser_of
from gateway.http.pages.change_steps import SIDES
from gateway.http.pages.changes import STEPS, TABS
from gateway.http.pages.keys import OVERLAPS
from gateway.http.pages.look import Density, Look, Theme
from gateway.http.pages.navigation import ACTIONS, SECTIONS
from gateway.http.pages.prompt_forms import MODES
from gateway.http.pages.prompt_imports import MAKES, REPLYING
from gateway.http.pages.slot_forms import TYPES
from gateway.http.pages.texts import LANGUAGES, accepted
from gateway.http.templates import WEB
from gateway.jobs import JobKind, JobState
from gateway.readiness import PartState
from rails.types import RailStatus, Stage
from store.changes.evidence import RunState
from store.changes.problems import Fault
from store.changes.types import ChangeState, EditKind, EventKind
from store.people import Role
from store.proof.verification import Damage
from store.repositories.imports import ImportState
from store.review.suggested import ProposalState
from store.types import KeyScope, Outcome

ROOT = Path(__file__).parents[4]
PLACE = re.compile(r"\{([a-z_]+)\}")
EN, AR = LANGUAGES["en"], LANGUAGES["ar"]
USED = re.compile(r'\bt(?:exts)?\("([a-z_]+\.[a-z_0-9]+)"(?= *[,)])')
DONE = re.compile(r'done="([a-z_]+)"|"([a-z_]+)"\)$', re.MULTILINE)


def sources() -> dict[Path, str]:
    found = [*(WEB / "templates" / "admin").glob("*.html"), *(ROOT / "gateway/http/pages").glob("*.py")]
    return {path: path.read_text() for path in found}


def test_every_language_has_the_same_texts_with_the_same_places() -> None:
    for texts in LANGUAGES.values():
        assert texts.entries.keys() == EN.entries.keys()
        for key, text in texts.entries.items():
            assert sorted(PLACE.findall(text)) == sorted(PLACE.findall(EN.entries[key])), (texts.language, key)
            assert text.strip() == text or key == "format.comma", key
            assert text


def test_every_arabic_text_is_arabic() -> None:
    plain = {"format.direction", "format.date", "nav.more"}
    for key, text in AR.entries.items():
        assert re.search(r"[\u0600-\u06ff]", text) or key in plain, (key, text)


def test_every_text_that_is_asked_for_is_there_and_none_is_left_over() -> None:
    used = {key for text in sources().values() for key in USED.findall(text)}
    assert used <= EN.entries.keys()
    whole = "\n".join(sources().values())
    begun = tuple(
        set(re.findall(r'"([a-z_]+\.[a-z_]*)" ~', whole))
        | {
            "field.",
            "format.",
            "error.",
            "rule.",
            "provider.",
            "done.",
            "action.",
            "detail.",
            "target.",
            "refused.",
            "part.",
            "widget_rule.",
            "change_title.",
            "import_reason.",
            "import_word.",
            "reason.",
            "verdict.",
        }
    )
    left = [key for key in EN.entries if key not in used and not key.startswith(begun) and f'"{key}"' not in whole]
    assert not left, "a text that nobody shows"


def test_the_variable_of_the_key_has_one_name() -> None:
    whole = "\n".join([*sources().values(), *EN.entries.values(), *AR.entries.values()])
    assert set(re.findall(r"\bCANONGATE_(?:[A-Z]+_)?KEY\b", whole)) == {"CANONGATE_KEY"}


def test_what_was_done_is_told_in_words() -> None:
    for path, text in sources().items():
        for node in ast.walk(ast.parse(text)) if path.suffix == ".py" else ():
            if isinstance(node, ast.keyword) and node.arg == "done" and isinstance(node.value, ast.Constant):
                assert EN.has(f"done.{node.value.value}"), path


def test_every_closed_set_has_words() -> None:
    wanted = [f"role.{one.value}" for one in Role] + [f"role_help.{one.value}" for one in Role]
    wanted += [f"scope.{one.name.lower()}" for one in KeyScope] + [f"scope_help.{one.name.lower()}" for one in KeyScope]
    wanted += [f"outcome.{one.value}" for one in Outcome]
    wanted += [f"rail.{one.value}" for one in RailStatus] + [f"rail.stage_{one.value}" for one in Stage]
    wanted += [f"requests.reason_{one.value}" for one in RevealReason]
    wanted += [f"state.{one.value}" for one in PartState]
    wanted += [f"audit.fault_{one.value.replace('-', '_')}" for one in Damage]
    wanted += [f"action.change_{one.value}" for one in EventKind]
    wanted += [f"audit.kind_{one[:-1]}" for one in KINDS] + [f"keys.overlap_{one}" for one in OVERLAPS]
    wanted += [f"profile.theme_{one.value}" for one in Theme] + [f"profile.density_{one.value}" for one in Density]
    wanted += [f"source.{one}" for one in ("generate", "verbatim", "handoff", "fallback", "dialog", "none")]
    wanted += [f"change_state.{one.value}{more}" for one in ChangeState for more in ("", "_help")]
    wanted += [f"event.{one.value}" for one in EventKind] + [f"kind.{one.value}" for one in EditKind]
    wanted += [f"step.{one}{more}" for one in STEPS for more in ("", "_help")] + [f"done.step_{one}" for one in STEPS]
    wanted += [f"gate.state_{one.value}" for one in RunState] + [f"changes.side_{one}" for one in SIDES]
    wanted += [f"changes.{part}_{one}" for one in TABS for part in ("tab", "none")]
    wanted += [f"prompts.mode_{one}{more}" for one in MODES for more in ("", "_help")]
    wanted += [f"prompts.standing_{one.value}" for one in Standing] + [f"slot.{one}" for one in TYPES]
    wanted += [f"prompts.fault_{one.value}" for one in Fault if one is not Fault.RULE]
    wanted += [f"need.{one.value}" for one in Need] + [f"job.{one.value}" for one in JobKind]
    wanted += [f"job.state_{one.value}" for one in JobState] + [f"imports.state_{one.value}" for one in ImportState]
    wanted += [f"imports.makes_{one.value}{more}" for one in MAKES for more in ("", "_help")]
    wanted += [f"prompts.mode_{one.value}" for one in REPLYING]
    wanted += [one.text for one in ACTIONS]
    wanted += [f"nav.{name}" for _, pages in SECTIONS for name, _ in pages]
    assert not [key for key in wanted if not EN.has(key)]


def test_every_deed_of_the_audit_trail_has_words() -> None:
    things = "|".join([*(one[:-1] for one in KINDS), "suggestion_job"])
    written = re.compile(rf'"((?:{things})\.[a-z_]+)"')
    begun = re.compile(r'udit\.append\([^)]*?f"([a-z_]+\.)\{')
    others = {ROOT / "gateway" / "http", ROOT / "gateway" / "webhooks", ROOT / "gateway" / "widget"}
    files = [path for folder in ("gateway", "store") for path in (ROOT / folder).rglob("*.py")]
    files = [path for path in files if not others & set(path.parents) or path.name == "clients.py"]
    texts = [path.read_text() for path in files]
    found = {action for text in texts for action in written.findall(text)}
    assert {one for text in texts for one in begun.findall(text)} == {"change.", "gate.", "suggestion."}
    found |= {f"change.{one.value}" for one in EventKind}
    found |= {f"gate.{one.value}" for one in RunState if one is not RunState.RUNNING}
    found |= {f"suggestion.{one.value}" for one in ProposalState if one is not ProposalState.PROPOSED}
    assert len(found) > 60
    columns = {"decisions.id", "widget.js"}
    for texts_of in (EN, AR):
        assert not [one for one in found - columns if not texts_of.has(f"action.{one.replace('.', '_')}")]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("ar-EG,ar;q=0.9,en;q=0.5", "ar"),
        ("de,en;q=0.2,ar;q=0.1", "en"),
        ("fr, de", None),
        ("", None),
        ("AR", "ar"),
        ("en;q=x", None),
    ],
)
def test_the_browser_says_which_language_it_likes(header: str, language: str | None) -> None:
    assert accepted(header) == language


@given(st.text(max_size=600))
def test_no_header_and_no_cookie_breaks_a_page(text: str) -> None:
    assert accepted(text) in {None, *LANGUAGES}
    look = Look.of(text)
    assert Look.of(look.cookie()) == look


def test_numbers_and_times_are_written_as_the_language_writes_them() -> None:
    at = dt.datetime(2026, 11, 29, 9, 5, tzinfo=dt.UTC)
    assert EN.number(1234567.891, 2) == "1,234,567.89"
    assert AR.number(1234567.891, 2) == "١٬٢٣٤٬٥٦٧٫٨٩"  # noqa: RUF001 -- Arabic digits are the point
    assert EN.moment(at) == "29 Nov 2026, 09:05 UTC"
    assert AR.moment(at) == "٢٩ نوفمبر ٢٠٢٦، ٠٩:٠٥ ت.ع.م"  # noqa: RUF001 -- as above
    assert EN.ago(at, at + dt.timedelta(hours=3, minutes=9)) == "3 h ago"
    assert EN.ago(at + dt.timedelta(days=30), at) == "in 30 d"
    assert AR.ago(at, at + dt.timedelta(minutes=5)) == "قبل ٥ د"  # noqa: RUF001 -- as above
    assert EN.ago(at, at) == "just now"


def test_a_name_in_a_sentence_is_kept_apart_from_it() -> None:
    assert AR("people.is_added", name="Ada") == "أُضيف \u2068Ada\u2069"


def test_a_browser_has_the_name_that_people_know() -> None:
    assert browser_of("Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0") == "Firefox · Windows"
    assert browser_of("curl/8") == "curl/8"


def test_every_rule_that_a_service_names_has_words() -> None:
    files = [path for folder in ("gateway", "store") for path in (ROOT / folder).rglob("*.py")]
    named = {rule for path in files for rule in re.findall(r'\brule="([a-z_]+)"', path.read_text())}
    assert len(named) > 10
    assert {f"rule.{one}" for one in named} == {key for key in EN.entries if key.startswith("rule.")}
