"""What services say and what pages have words for: the sentences in the sources and the texts go together."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.http.pages.reasons import reason_of
from gateway.http.pages.texts import LANGUAGES

ROOT = Path(__file__).parents[4]
EN, AR = LANGUAGES["en"], LANGUAGES["ar"]
SAID_IN = (
    *("gateway/publisher.py", "gateway/live.py", "gateway/confirming.py", "gateway/canary.py", "gateway/probes.py"),
    *("gateway/readiness.py", "gateway/answer_cache.py", "gateway/changing/*.py", "gateway/policy_desk/drafting.py"),
    *("gateway/importing.py", "gateway/import_jobs.py", "gateway/beginning.py", "gateway/reviewing/prospects.py"),
    *("gateway/access/keys.py", "gateway/access/passwords.py", "gateway/access/profiles.py", "gateway/access/users.py"),
    *("gateway/access/tenancy.py", "gateway/widget/clients.py", "gateway/http/pages/suite_forms.py"),
    *("store/changes/*.py", "store/consistency.py", "store/content.py", "store/readable.py", "store/import_desk.py"),
    *("store/schema.py", "gateway/quoted_texts.py"),
    *("store/review/merging.py", "store/review/acting.py", "store/review/drafting.py", "store/review/edits.py"),
    *("store/formats/bundle.py", "store/formats/bundle_file.py", "store/formats/documents.py"),
    *("store/formats/drafting.py", "store/formats/sources.py", "store/formats/suite.py", "store/formats/reading.py"),
    *("rails/lint.py", "rails/colang_lint.py", "rails/colang_traps.py", "rails/colang_expressions.py"),
)
"""Files whose sentences people read on pages."""
TOLD_BY_CODE = {"NotFound", "Refused", "InvalidRequest", "NotAllowed", "NotServing", "StoreUnavailable"}
"""Errors that pages tell by their code."""
NOT_FOR_PEOPLE = {"TypeError", "ValueError", "compile", "RuntimeError", "append", "Principal"}
SENTENCE = re.compile(r"[A-Za-z][^\n]* [^\n]*[a-z.)}]")
PARTS = {
    *("it does not say which assistant it asks", "there is no assistant x", "x xs are", "test set", "test sets"),
    *("Edit it and submit it again.", "Have it approved first.", "Make a new change.", "Submit it first."),
    *("commented on", "given a time", "in review", "published in an emergency", "sent back", "taken back"),
    *("taken off its time", "this prompt", "a prompt of another area", "Remove one of them.", "x of x from it"),
    *("x: x after x leads to x already. x", "x: x is a phrasing of x already (x). x"),
    *("x: x is a phrasing of x already. x", "xanchors and aliases are not read. Write it out."),
    *("xtags are not read. Remove it.", "xa number that is too long. Put it in quotes."),
    *("xnested deeper than x levels.", "xnot valid YAML: x. Correct it there or just before."),
    *("Correct its spelling or remove it.", "Keep to that form.", "Keep within that length."),
    *("Put the text in quotes.", "a file that the log names", "the fallback"),
}
"""Put together with others into sentences that have words."""
NOT_ON_PAGES = {
    *("nobody has this password", "grants: areas", "else if", "matching regex", "of length"),
    *("contains unknown field", "missing required field", "there is no such widget client", "widget client x"),
    "This gateway cannot tell whether its approved answers are still approved. Try again.",
    "x is not empty and not a bundle. Name a new or an empty folder.",
    "x is there already. Name a new file.",
}
CONTENT = {
    *("Takes back revision x.", "Import of a file without a name", "Questions of the review queue"),
    "Questions that are out of scope",
}
"""Titles and notes, which are kept as somebody's words are; titles have texts of their own."""
PUT_TOGETHER = {
    *("reason.one_taken_out", "reason.cases_taken_out", "reason.one_still_wrong", "reason.still_wrong"),
    *("reason.same_phrasing_other", "reason.same_follow_up_other", "reason.not_a_date"),
    *("reason.wants_blocked_by", "reason.is_blocked_input_by", "reason.is_blocked_output_by"),
    "reason.setting_id_title_instruction_input_context",
}
"""Texts of sentences that stand in no source as a whole."""


def literal(node: ast.AST) -> str | None:
    """Gives a text as it stands in the source, with a word in the place of what is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        text = ""
        for one in node.values:
            text += str(one.value) if isinstance(one, ast.Constant) else "7" if text.endswith("[") else "x"
        return text
    return None


def unread(tree: ast.Module) -> Iterator[ast.AST]:
    """Gives what holds no sentence for people: notes on the code, parts of others, the log, errors with a code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield from (one for one in ast.walk(node) if one is not node)
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if any(one.arg == "rule" for one in node.keywords):
                yield from ast.walk(node)  # told by its rule
            elif name.startswith("_LOG") or name.rpartition(".")[2] in TOLD_BY_CODE | NOT_FOR_PEOPLE:
                yield from ast.walk(node)


def sentences(path: Path) -> list[str]:
    tree = ast.parse(path.read_text())
    left_out = {id(node) for node in unread(tree)}
    found = {literal(node) or "" for node in ast.walk(tree) if id(node) not in left_out}
    return sorted(one for one in found if SENTENCE.fullmatch(one) and len(re.findall(r"\b[a-z]{2,}\b", one)) > 1)


FILES = sorted({path for one in SAID_IN for path in ROOT.glob(one)})


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_sentence_of_a_service_has_words_in_another_language(path: Path) -> None:
    left = [
        one for one in sentences(path) if one not in PARTS | NOT_ON_PAGES | CONTENT and reason_of(AR, one).is_english
    ]
    assert not left


def test_no_text_is_left_over_from_a_sentence_that_nobody_says_any_more() -> None:
    said = "\n".join(
        " ".join((literal(node) or "").split())
        for folder in ("gateway", "store", "rails", "models")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
    )
    left = [
        (key, part)
        for key, text in EN.entries.items()
        if key.startswith(("reason.", "import_reason.")) and key not in PUT_TOGETHER
        for part in re.split(r"\$?\{[a-z_]+\}|[.:;] ", text)
        if len(part.strip(" .`(),;:'\"/")) > 6 and part.strip(" .`(),;:'\"/") not in said
    ]
    assert not left


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (
            "prompts/it/vpn.yaml: phrasings[1]: 'VPN' is also counterexamples[0]. Keep one of them.",
            ("it.vpn", "نص", "VPN"),
        ),
        ("suite desk: case a7: it is new, and not right: refuse is wanted, and it comes to x", ("a7", "جديدة", "desk")),
        ("revision 3, 20 prompts; revision 4 is being made (tuning the embedder, 40%)", ("٢٠", "يجري ضبط", "٤٠")),
        (
            "what is live has moved since this was drafted: prompt it.vpn. Rebase the change first.",
            ("نص \u2068it.vpn",),
        ),
        ("it has no prompts, so nobody could ask anything. Add them.", ("ينقصها",)),
        (
            "name: it must be vpn, as the item is called.\ntitle: it has control characters. Type it anew.",
            ("vpn", "\n"),
        ),
    ],
)
def test_what_is_filled_in_goes_into_the_other_language(reason: str, words: tuple[str, ...]) -> None:
    told = reason_of(AR, reason)
    assert not told.is_english
    assert [one for one in words if one not in told.text] == []


@pytest.mark.parametrize("reason", ["suite desk: the moon is full", "x" * 5000, "name: ", "a\n\nb", "{told}"])
def test_what_nobody_knows_is_shown_as_it_is(reason: str) -> None:
    told = reason_of(AR, reason)
    assert (told.text, told.is_english) == (reason, True)
