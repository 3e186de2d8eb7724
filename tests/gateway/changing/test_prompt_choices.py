"""A list of prompts is narrowed by what the person may see, and by nothing that only others have."""

from gateway.changing.prompt_lists import PromptChoices
from store.catalog import Catalog
from store.people import Actor, Role
from tests.administration import person
from tests.store.store_content import assistant, version

CATALOG = Catalog(
    revision=1,
    prompts={one.key: one for one in (version("it.vpn"), version("hr.leave", language="ar"))},
    assistants={one.name: one for one in (assistant(), assistant("people", areas=("hr",)))},
    policies={},
)


def choices(actor: Actor) -> PromptChoices:
    return PromptChoices.of(actor, CATALOG)


def test_whoever_sees_everything_chooses_from_everything() -> None:
    assert choices(person("ada", Role.VIEWER)) == PromptChoices(
        ("desk", "people"), ("hr", "it"), ("ar", "en"), ("Service Desk",)
    )


def test_a_tenant_is_not_told_which_languages_others_speak() -> None:
    tenant = person("eve", Role.VIEWER, assistants=("desk",))
    assert choices(tenant) == PromptChoices(("desk",), ("it",), ("en",), ("Service Desk",))


def test_a_tenant_without_a_live_assistant_chooses_from_nothing() -> None:
    assert choices(person("eve", Role.VIEWER, assistants=("gone",))) == PromptChoices((), (), (), ())
