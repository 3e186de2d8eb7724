"""Forms of widget clients: what is typed becomes settings, and whatever is wrong is said at its field."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.widget.forms import contrast_of, id_problems, new_typed, read_settings, typed_of
from store.widgets import LEAST_CONTRAST, WidgetSettings, WidgetTheme, contrast
from tests.widget_world import settings_of

ASSISTANTS = ("helpdesk", "shop")
COLOURS = st.from_regex(r"#[0-9a-f]{6}", fullmatch=True)
JWKS = '{"keys": [{"kty": "OKP", "kid": "one", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}'
TEXT = st.text(st.characters(categories=("L", "N", "P", "Zs")), max_size=40).map(str.strip)
STRINGS = st.dictionaries(st.sampled_from(["send", "stop", "copy"]), TEXT, max_size=3)


def typed(**more: str) -> dict[str, str]:
    return typed_of(settings_of()) | more


def problems(**more: str) -> dict[str, str]:
    """Gives the rules that were broken, by their fields."""
    return {one.place: one.rule for one in read_settings(typed(**more), ASSISTANTS).problems}


@st.composite
def settings(draw: st.DrawFn) -> WidgetSettings:
    texts = st.fixed_dictionaries({"heading": TEXT, "greeting": TEXT, "strings": STRINGS})
    languages = draw(st.sampled_from([("en",), ("en", "ar"), ("pt-BR", "de")]))
    told = {language: draw(texts) for language in languages}
    return settings_of(
        languages=languages,
        texts={language: one for language, one in told.items() if any(one.values())},
        theme={"radius": draw(st.integers(0, 32)), "position": draw(st.sampled_from(["start", "end"]))},
        rates={"session": draw(st.integers(1, 10**6))},
        max_length=draw(st.integers(1, 4000)),
        feedback=draw(st.booleans()),
        calls_api=draw(st.booleans()),
        contact=draw(st.sampled_from([None, {"name": "Ada", "hours": "9 to 5"}])),
        sign_in=draw(st.sampled_from(["required", "optional", "none"])),
    )


@given(settings())
def test_a_form_that_nobody_touched_changes_nothing(made: WidgetSettings) -> None:
    read = read_settings(typed_of(made), ASSISTANTS, made)
    assert (read.given, read.problems) == ({}, ())
    whole = read_settings(typed_of(made), ASSISTANTS)
    assert WidgetSettings(**whole.given) == made


@given(COLOURS, COLOURS)
def test_no_colours_pass_that_the_store_refuses_and_none_are_refused_that_it_takes(accent: str, on_accent: str) -> None:
    told = contrast_of(accent, on_accent)
    found = problems(accent=accent, on_accent=on_accent)
    assert told is not None
    assert told.is_enough is (contrast(accent, on_accent) >= LEAST_CONTRAST) is (not found)
    assert told.ratio <= contrast(accent, on_accent)
    assert contrast(accent, told.better) >= LEAST_CONTRAST
    if told.is_enough:
        WidgetTheme(accent=accent, on_accent=on_accent)
    else:
        with pytest.raises(ValueError, match="contrast"):
            WidgetTheme(accent=accent, on_accent=on_accent)


@pytest.mark.parametrize(
    ("field", "text", "rule"),
    [
        ("title", "", "title"),
        ("title", "x" * 201, "title"),
        ("assistant", "nobody", "assistant"),
        ("origins", "", "origins"),
        ("origins", "http://intranet.example", "origin"),
        ("origins", "https://intranet.example/path", "origin"),
        ("origins", "https://*.example", "origin"),
        ("origins", "https://a.example\nhttps://a.example/", "origin_twice"),
        ("origins", "\n".join(f"https://a{number}.example" for number in range(51)), "origins"),
        ("sign_in", "sometimes", "choose"),
        ("algorithm", "none", "choose"),
        ("keys", JWKS, "keys_not_wanted"),
        ("languages", "", "languages"),
        ("languages", "en <b>", "languages"),
        ("accent", "red", "colour"),
        ("on_accent", "#fff", "colour"),
        ("on_accent", "#1f4fbe", "contrast"),
        ("radius", "33", "number"),
        ("radius", "-1", "number"),
        ("max_length", "0", "number"),
        ("max_length", "٣", "number"),
        ("rate_origin", "1000001", "number"),
        ("heading_en", "x" * 81, "heading"),
        ("greeting_en", "x" * 501, "greeting"),
        ("strings_en", "send Ask", "strings"),
        ("strings_en", "Send: Ask", "strings"),
        ("strings_en", "send: " + "x" * 501, "strings"),
        ("position", "middle", "choose"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(field: str, text: str, rule: str) -> None:
    assert problems(**{field: text}) == {field: rule}


def test_several_things_are_said_at_once() -> None:
    found = problems(title="", origins="nonsense", radius="x", contact_phone="1")
    assert found == {"title": "title", "origins": "origin", "radius": "number", "contact_name": "contact_name"}


@pytest.mark.parametrize("text", ["{", "[]", '{"keys": []}', JWKS.replace('"x"', '"d": "AA", "x"'), "[" * 10_000])
def test_keys_that_are_none_are_refused_at_their_field(text: str) -> None:
    assert problems(algorithm="EdDSA", keys=text) == {"keys": "keys"}


def test_public_keys_are_taken_as_they_stand() -> None:
    assert problems(algorithm="EdDSA", keys="") == {"keys": "keys_needed"}
    assert problems(algorithm="RS256", keys=JWKS) == {"keys": "keys"}
    read = read_settings(typed(algorithm="EdDSA", keys=JWKS), ASSISTANTS, settings_of())
    assert not read.problems
    assert read.given.keys() == {"algorithm", "keys"}
    assert [one.kid for one in read.given["keys"].keys] == ["one"]


def test_texts_of_a_language_that_is_taken_away_go_with_it() -> None:
    before = settings_of(languages=["en", "ar"], texts={"ar": {"heading": "مرحبا"}})
    read = read_settings(typed_of(before) | {"languages": "en"}, ASSISTANTS, before)
    assert read.given == {"languages": ("en",), "texts": {}}


def test_a_new_form_lacks_only_what_nobody_can_guess() -> None:
    found = read_settings(new_typed(ASSISTANTS), ASSISTANTS)
    assert {one.place for one in found.problems} == {"title", "origins"}
    read = read_settings(new_typed(ASSISTANTS) | {"title": "HR", "origins": "https://hr.example/"}, ASSISTANTS)
    assert not read.problems
    made = WidgetSettings(**read.given)
    assert (made.origins, made.assistant) == (("https://hr.example",), "helpdesk")
    assert msgspec.convert(msgspec.to_builtins(made), WidgetSettings) == made


def test_an_id_is_what_markup_can_hold() -> None:
    assert not id_problems("hr-portal")
    assert all(id_problems(one) for one in ("", "HR", "-a", "a b", "a" * 41, "1a", "a\n"))
