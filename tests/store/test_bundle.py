import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_content import assistant, bundle, prompt

from store.errors import InvalidContent, StoreUnavailable
from store.formats.bundle import prompt_path, read_bundle, write_bundle
from store.formats.documents import MAX_BYTES, parse_yaml, write_yaml

RICH = prompt(
    "it.office",
    audience="employees",
    phrasings=['When is the {site} office "open"?', "yes", "07:00", "# no", "caf\u00e9: \u2013 \u2018x\u2019"],
    counterexamples=["null", "[a]"],
    follows=["it.vpn"],
    follow_ups=["And {site}?"],
    slots=[
        {"type": "enum", "name": "site", "ask": "Which?", "values": [{"value": "Leeds", "also": ["no"], "fact": "F."}]},
        {"type": "integer", "name": "years", "ask": "How many?", "minimum": 0, "maximum": 9},
    ],
    reply={
        "mode": "generate",
        "prompt": "Open {site} {years}?",
        "facts": "One.\nTwo: three.\n",
        "fallback": "word " * 60 + "end",
        "sampling": {
            "max_tokens": 300,
            "temperature": 0.5,
            "stop": ["\n", "# no"],
            "grammar": 'root ::= day ": " [0-9]+\nday ::= "Monday" | "no"  # a comment\n',
        },
    },
)
HANDOFF = prompt(
    "it.person", reply={"mode": "handoff", "answer": "A person.", "contact": {"name": "Desk", "phone": "4100"}}
)


def text_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.yaml"))}


@pytest.fixture
def folder(tmp_path):
    write_bundle(bundle(prompt(), suites={"small": {"name": "small", "cases": []}}), tmp_path / "b")
    return tmp_path / "b"


def test_what_is_written_comes_back_exactly_and_the_bytes_are_stable(tmp_path):
    whole = bundle(HANDOFF, RICH, prompt(), suites={"small": {"name": "small", "cases": [{"id": "a"}]}})
    write_bundle(whole, tmp_path / "a")
    back = read_bundle(tmp_path / "a")
    assert set(back.prompts) == set(whole.prompts)
    assert (back.assistants, back.policies, back.suites) == (whole.assistants, whole.policies, whole.suites)
    write_bundle(back, tmp_path / "b")
    assert text_of(tmp_path / "a") == text_of(tmp_path / "b")
    assert read_bundle(tmp_path / "b") == back


def test_the_fields_are_in_reading_order_and_long_texts_are_blocks(tmp_path):
    write_bundle(bundle(RICH, prompt()), tmp_path / "a")
    text = (tmp_path / "a" / "prompts/it/office.yaml").read_text()
    fields = [line.partition(":")[0] for line in text.splitlines() if line and line[0].isalpha()]
    assert fields == [
        "key",
        "title",
        "area",
        "owner",
        "language",
        "audience",
        "review_by",
        "phrasings",
        "counterexamples",
        "follows",
        "follow_ups",
        "slots",
        "reply",
    ]
    assert "review_by: 2027-06-30" in text
    assert "facts: |\n" in text
    assert "fallback: >-\n" in text


def test_a_defaulted_field_written_out_is_the_same_content(folder):
    path = folder / "prompts/it/vpn.yaml"
    before = read_bundle(folder)
    path.write_text(path.read_text() + "counterexamples: []\nslots: []\n")
    assert read_bundle(folder) == before


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=300)


@settings(max_examples=300, deadline=None)
@given(TEXT)
def test_any_text_survives_being_written(text):
    assert parse_yaml(write_yaml({"a": {"b": [text]}}).encode()) == {"a": {"b": [text]}}


def test_a_write_removes_prompts_that_are_gone_and_leaves_test_sets_alone(folder):
    write_bundle(bundle(HANDOFF), folder)
    assert sorted(text_of(folder)) == [
        "assistants/desk.yaml",
        "bundle.yaml",
        "policies/plain.yaml",
        "prompts/it/person.yaml",
        "suites/small.yaml",
    ]


def test_a_folder_with_something_else_in_it_is_not_touched(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(InvalidContent, match="not a bundle"):
        write_bundle(bundle(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_folder_that_cannot_be_written_is_an_error_of_ours(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreUnavailable):
        write_bundle(bundle(), tmp_path / "file" / "b")


VPN = "prompts/it/vpn.yaml"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("owner:", "ownr:", f"{VPN}: the document: Object contains unknown field `ownr`. Correct its spelling"),
        ("title: About it.vpn\n", "", f"{VPN}: the document: Object missing required field `title`. Add it."),
        ("title: About it.vpn", "title: 12", f"{VPN}: title: Expected `str`, got `int`. Put the text in quotes."),
        ("title: About it.vpn", "title: yes", f"{VPN}: title: Expected `str`, got `bool`. Put the text in quotes."),
        ("2027-06-30", "2027-06-31", f"{VPN}: not valid YAML"),
        ("2027-06-30", "soon", f"{VPN}: review_by: Invalid RFC3339"),
        ("  - tell me", "  - 7\n  - tell me", f"{VPN}: phrasings[0]: Expected `str`, got `int`"),
        ("mode: generate", "mode: magic", f"{VPN}: reply.mode: Invalid value 'magic'"),
        (
            "prompt: Explain it.",
            "prompt: Explain {it}.",
            f"{VPN}: the document: the text uses {{it}}, but there is no such slot",
        ),
        ("key: it.vpn", "key: it.vnp", f"{VPN}: key: it.vnp belongs in prompts/it/vnp.yaml. Move the file"),
        ("area: it", "area: hr", f"{VPN}: area: the key starts with its area, so it must be it."),
        ("title: About it.vpn", "title: a\ntitle: b", f"{VPN}: line 3: 'title' occurs twice. Keep one of them."),
        ("title: About it.vpn", "title: [", f"{VPN}: line"),
        ("title: About it.vpn", "title: &x a", f"{VPN}: line 2: anchors and aliases are not read."),
        ("title: About it.vpn", "1: a", f"{VPN}: line 2: a name must be text."),
        ("title: About it.vpn", "title: !!bool maybe", f"{VPN}: line 2: tags are not read. Remove it."),
        ("title: About it.vpn", 'title: !!int ""', f"{VPN}: line 2: tags are not read. Remove it."),
        ("title: About it.vpn", "title: !!timestamp x", f"{VPN}: line 2: tags are not read. Remove it."),
        ("title: About it.vpn", "title: 1" + ":1" * 400_000, f"{VPN}: line 2: a number that is too long. Put it in"),
        ("title: About it.vpn", "title: 1" + ":1" * 180 + ".5", f"{VPN}: line 2: a number that is too long. Put it in"),
        ("title: About it.vpn", "title: 0x" + "f" * 5000, f"{VPN}: line 2: a number that is too long. Put it in"),
        ("title: About it.vpn", "title: !!python/object/apply:os.system [x]", f"{VPN}: "),
        ("title: About it.vpn", "title: " + "[" * 40 + "]" * 40, f"{VPN}: line 2: nested deeper than 16 levels."),
    ],
)
def test_a_mistake_is_named_with_file_field_and_remedy(folder, old, new, line):
    path = folder / VPN
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(InvalidContent) as caught:
        read_bundle(folder)
    assert str(caught.value).startswith(line)


def test_the_mistakes_of_all_files_are_shown_together(folder):
    (folder / VPN).write_text("- a list")
    (folder / "assistants/desk.yaml").write_text("name: [")
    (folder / "policies/plain.yaml").write_text("day: 2026-01-01")
    (folder / "policies/other.yaml").write_text("name: else")
    (folder / "prompts/it/old.yml").write_text("")
    (folder / "prompts/it/latin.yaml").write_bytes(b"key: caf\xe9")
    (folder / "prompts/it/big.yaml").write_bytes(b"#" * (MAX_BYTES + 1))
    (folder / "bundle.yaml").write_text("format: canongate-bundle\nversion: 2\n")
    with pytest.raises(InvalidContent) as caught:
        read_bundle(folder)
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "assistants/desk.yaml",
        "bundle.yaml",
        "policies/other.yaml",
        "policies/plain.yaml",
        "prompts/it/big.yaml",
        "prompts/it/latin.yaml",
        "prompts/it/old.yml",
        VPN,
    ]


@pytest.mark.parametrize("missing", ["bundle.yaml", "."])
def test_a_folder_that_is_no_bundle_is_refused(folder, tmp_path, missing):
    (folder / "bundle.yaml").unlink()
    with pytest.raises(InvalidContent, match=r"bundle\.yaml: the file cannot be read"):
        read_bundle(folder if missing == "bundle.yaml" else tmp_path / "nowhere")


def test_a_link_out_of_the_bundle_is_not_followed(folder, tmp_path):
    (tmp_path / "secret.yaml").write_text("key: it.secret")
    (folder / "prompts/it/secret.yaml").symlink_to(tmp_path / "secret.yaml")
    (folder / "prompts/etc").symlink_to("/etc")
    with pytest.raises(InvalidContent) as caught:
        read_bundle(folder)
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == ["prompts/etc", "prompts/it/secret.yaml"]


def test_a_pipe_does_not_hang_the_import(folder):
    os.mkfifo(folder / "prompts/it/pipe.yaml")
    with pytest.raises(InvalidContent, match="not a file"):
        read_bundle(folder)


def test_the_path_of_a_prompt_says_its_key():
    assert prompt_path("it.mail.full") == "prompts/it/mail/full.yaml"


def test_an_assistant_in_a_file_of_another_name_is_refused(folder):
    write_bundle(bundle(assistants=(assistant("other"),)), folder.parent / "c")
    (folder / "assistants/wrong.yaml").write_text((folder.parent / "c/assistants/other.yaml").read_text())
    with pytest.raises(InvalidContent, match=r"assistants/wrong\.yaml: name: the file must be called"):
        read_bundle(folder)
