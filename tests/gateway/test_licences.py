"""A model whose licence forbids commercial use serves only assistants that say that their use is none."""

import dataclasses

import msgspec
import pytest

from gateway import licences
from gateway.errors import SettingsInvalid
from gateway.licences import acknowledgements, require_acknowledged
from gateway.model_settings import ModelSettings, UpstreamSettings
from gateway.publisher import Publisher
from gateway.settings import DataSettings, Settings
from models.catalog import known_model
from models.errors import ModelRefused
from models.fakes import FakeEmbedder
from rails.definition import NO_SERVICES
from store.catalog import load_catalog, publish_bundle
from store.content import Assistant, CanonicalPrompt
from store.database import open_database
from store.formats.bundle import Bundle
from tests.building import ASSISTANT, POLICY, RESET, NearestMatchers
from tests.migrated import migrate_new

KOALA = dataclasses.replace(
    known_model("smollm2-135m-instruct"), family="koala", format_name="koala", is_commercial_use_allowed=False
)


@pytest.fixture
def place(tmp_path):
    settings = Settings(data=DataSettings(directory=str(tmp_path / "data")))
    migrate_new(settings.database_url)
    database = open_database(settings.database_url)
    yield (
        settings,
        database,
        Publisher(settings, database, NearestMatchers(FakeEmbedder(), tmp_path / "index"), NO_SERVICES),
    )
    database.close()


@pytest.fixture
def koala(monkeypatch):
    monkeypatch.setattr(licences, "find_model", lambda _name, _registry: (KOALA, None))


def publish(database, *acknowledged):
    """Publishes an assistant for each acknowledgement and returns what is live then."""
    prompt = msgspec.convert(RESET, CanonicalPrompt)
    assistants = tuple(
        msgspec.convert({**ASSISTANT, "name": f"desk-{place}", "model_licence_acknowledged": family}, Assistant)
        for place, family in enumerate(acknowledged)
    )
    publish_bundle(database, Bundle((prompt,), assistants, {"desk": POLICY}), author="tests", remove_missing=True)
    return load_catalog(database)


def test_the_packaged_model_asks_for_nothing(place):
    settings, database, _ = place
    require_acknowledged(settings, publish(database, ""))


@pytest.mark.usefixtures("koala")
def test_without_the_acknowledgement_the_start_is_refused_and_the_words_say_what_to_write(place):
    _, database, publisher = place
    publish(database, "")
    with pytest.raises(SettingsInvalid, match=r"assistants/desk-0\.yaml.*model_licence_acknowledged: koala"):
        publisher.load()


@pytest.mark.usefixtures("koala")
def test_the_acknowledgement_of_another_family_is_none(place):
    settings, database, _ = place
    with pytest.raises(SettingsInvalid, match="koala"):
        require_acknowledged(settings, publish(database, "alpaca"))


@pytest.mark.usefixtures("koala")
def test_each_assistant_acknowledges_for_itself(place):
    settings, database, _ = place
    with pytest.raises(SettingsInvalid, match="desk-1"):
        require_acknowledged(settings, publish(database, "koala", ""))


@pytest.mark.usefixtures("koala")
def test_with_the_acknowledgement_the_content_is_live(place):
    _, database, publisher = place
    publish(database, "koala")
    assert list(publisher.load().catalog.assistants) == ["desk-0"]


def test_without_a_model_nothing_is_asked(place):
    settings, _, _ = place
    assert acknowledgements(msgspec.structs.replace(settings, model=ModelSettings(name="none"))) == frozenset()


def test_a_model_that_is_not_registered_is_refused(place):
    settings, _, _ = place
    with pytest.raises(ModelRefused, match="not registered"):
        acknowledgements(msgspec.structs.replace(settings, model=ModelSettings(name="gpt-4")))


@pytest.mark.parametrize(
    ("chosen", "names"), [("dolly-v1", {"dolly-v1"}), ("chatglm", set()), ("vicuna", set()), ("", set())]
)
def test_an_upstream_asks_when_every_family_of_its_format_forbids_commercial_use(place, chosen, names):
    settings, _, _ = place
    prompts = "text" if chosen else "chat"
    upstream = UpstreamSettings(url="http://127.0.0.1:1/v1", model="m", revision="1", prompts=prompts, format=chosen)
    assert acknowledgements(msgspec.structs.replace(settings, upstream=upstream)) == names


def test_an_acknowledgement_that_can_be_no_name_is_refused_with_the_file():
    with pytest.raises(msgspec.ValidationError, match="model_licence_acknowledged"):
        msgspec.convert({**ASSISTANT, "model_licence_acknowledged": "Yes, all of them!"}, Assistant)
