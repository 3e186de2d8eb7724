import hashlib
import os
import threading

import msgspec
import pytest

from models.catalog import known_model
from models.errors import ModelRefused, ModelUnavailable
from models.files import registry as module
from models.files.registration import Application, checked, register
from models.files.registry import Registry, find_model, hashed, looks_unchanged
from tests.models.files.gguf_bytes import small_model


def silent(*_):
    """Reports nothing."""


@pytest.fixture
def registry(tmp_path):
    return Registry(tmp_path / "models.json")


@pytest.fixture
def file(tmp_path):
    return small_model(tmp_path / "small.gguf")


@pytest.fixture
def model(registry, file):
    return register(Application(file, family_name="smollm2"), registry, silent)


def test_a_registered_model_is_found_with_its_file_and_hash(registry, model, file):
    known, path = find_model("small", registry)
    assert (known, path) == (model.known, file)
    assert known.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert known.prompt_format.name == "chatml"
    assert find_model("smollm2-135m-instruct", registry) == (known_model("smollm2-135m-instruct"), None)


@pytest.mark.usefixtures("model")
def test_an_unknown_name_is_refused_with_those_that_are_known(registry):
    with pytest.raises(ModelRefused, match=r"registered are: smollm2-135m-instruct, small\. Register a file"):
        find_model("gpt-4", registry)


def test_two_at_once_lose_nothing(registry, model):
    names = [f"model-{number}" for number in range(12)]
    threads = [
        threading.Thread(target=registry.add, args=(msgspec.structs.replace(model, name=name),)) for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {one.name for one in registry.all()} == {"small", *names}


@pytest.mark.usefixtures("model")
def test_a_crash_while_writing_leaves_what_was_there(registry, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    before = registry.file.read_bytes()
    monkeypatch.setattr(module.os, "fsync", full)
    with pytest.raises(ModelUnavailable, match="No space left"):
        registry.remove("small")
    assert registry.file.read_bytes() == before
    assert not list(registry.file.parent.glob("*.tmp"))


@pytest.mark.parametrize(
    "text", ["", "[]", '{"format": 2, "models": []}', '{"format": 1, "models": [], "more": 1}', "\xff"]
)
def test_a_file_that_is_no_registry_is_refused(registry, text):
    registry.file.write_bytes(text.encode("latin-1"))
    with pytest.raises(ModelRefused, match="register the models again"):
        registry.all()


@pytest.mark.usefixtures("model")
def test_a_name_that_stands_twice_is_refused(registry):
    content = msgspec.json.decode(registry.file.read_bytes())
    registry.file.write_bytes(msgspec.json.encode(content | {"models": content["models"] * 2}))
    with pytest.raises(ModelRefused, match="names a model twice"):
        registry.all()


@pytest.mark.parametrize("name", ["", "Upper", "../up", "a b", "-a", "a" * 65, "a\n"])
def test_what_is_no_name_is_refused(registry, model, name):
    with pytest.raises(ModelRefused, match="is no name"):
        registry.require_free(name)
    with pytest.raises(ModelRefused, match="is no name"):
        registry.add(msgspec.structs.replace(model, name=name))


def test_a_file_looks_unchanged_until_it_is_another(model, file, registry):
    assert looks_unchanged(model)
    small_model(file)
    assert not looks_unchanged(model)
    # Written anew with the same bytes it is right, and that is remembered.
    assert checked("small", registry, silent).layers == 2
    assert looks_unchanged(registry.find("small"))


def test_how_a_file_looks_is_never_enough_to_take_it(model, file, registry):
    about = file.stat()
    with file.open("r+b") as opened:
        opened.seek(-1, 2)
        opened.write(b"x")
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert looks_unchanged(model)
    with pytest.raises(ModelRefused, match="is registered for small"):
        checked("small", registry, silent)


def test_a_file_that_changes_while_it_is_read_is_refused(file):
    def grow(*_):
        with file.open("ab") as opened:
            opened.write(b"x")

    with pytest.raises(ModelRefused, match="changed while it was read"):
        hashed(file, grow)


def test_the_progress_of_a_hash_ends_with_the_whole(file, monkeypatch):
    monkeypatch.setattr(module, "CHUNK_BYTES", 100)
    seen = []
    digest, _ = hashed(file, lambda done, total: seen.append((done, total)))
    size = file.stat().st_size
    assert seen[0] == (100, size)
    assert seen[-1] == (size, size)
    assert digest == hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ModelRefused, match="cannot be read"):
        hashed(tmp_path / "absent.gguf", silent)
