import errno
import os

import pytest

from models.errors import ModelRefused, ModelUnavailable
from models.verified import MANIFEST, Manifest, intact_manifest, new_folder, publish, require_sha256, sha256_of


def make(parent, content=b"vectors", name="print"):
    target = parent / name
    with new_folder(parent) as folder:
        (folder / "model.onnx").write_bytes(content)
        manifest = Manifest(1, "s", 384, 256, {"model.onnx": sha256_of(folder / "model.onnx")})
        publish(folder, target, manifest)
    return target


def leftovers(parent):
    return [path.name for path in parent.iterdir() if path.name.startswith(".")]


def test_a_published_folder_is_intact_and_nothing_is_left_beside_it(tmp_path):
    target = make(tmp_path)
    assert intact_manifest(target) is not None
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("name", ["model.onnx", MANIFEST])
def test_a_changed_missing_or_cut_file_is_noticed(tmp_path, name):
    for damage in (lambda path: path.unlink(), lambda path: path.write_bytes(path.read_bytes()[:-3])):
        target = make(tmp_path)
        damage(target / name)
        assert intact_manifest(target) is None


@pytest.mark.parametrize("name", ["model.onnx", MANIFEST])
def test_the_log_names_the_file_that_is_damaged_and_nothing_that_is_absent(tmp_path, name, caplog):
    assert intact_manifest(tmp_path / "nowhere") is None
    assert caplog.messages == []
    target = make(tmp_path)
    (target / name).write_bytes(b"{")
    assert intact_manifest(target) is None
    (message,) = caplog.messages
    assert message.startswith(f"folder_not_used: {target}")
    assert name in message


def test_a_manifest_without_files_vouches_for_nothing(tmp_path):
    target = make(tmp_path)
    (target / MANIFEST).write_text('{"format":1,"source_sha256":"s","dimension":1,"max_tokens":1,"files":{}}')
    assert intact_manifest(target) is None


def test_a_manifest_cannot_vouch_for_a_file_elsewhere(tmp_path):
    target = make(tmp_path)
    (tmp_path / "other").write_bytes(b"vectors")
    text = (target / MANIFEST).read_text().replace('"model.onnx"', '"../other"')
    (target / MANIFEST).write_text(text)
    assert intact_manifest(target) is None


def test_a_damaged_folder_is_replaced(tmp_path):
    (make(tmp_path) / "model.onnx").write_bytes(b"broken!")
    assert intact_manifest(make(tmp_path)) is not None
    assert leftovers(tmp_path) == []


def test_an_intact_folder_of_a_quicker_process_stays(tmp_path):
    target = make(tmp_path)
    before = (target / "model.onnx").stat().st_ino
    make(tmp_path)
    assert (target / "model.onnx").stat().st_ino == before


def test_an_interrupted_export_leaves_nothing(tmp_path):
    def interrupted():
        with new_folder(tmp_path) as folder:
            (folder / "model.onnx").write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_a_stray_folder_of_a_dead_process_goes_after_an_hour(tmp_path):
    for name, age in ((".old.tmp", 7200), (".young.tmp", 10)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (0, 0) if age > 3600 else None)
    make(tmp_path)
    assert leftovers(tmp_path) == [".young.tmp"]


def test_a_full_disk_is_our_error_and_leaves_nothing(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ModelUnavailable, match="No space left"):
        make(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_our_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ModelUnavailable), new_folder(tmp_path / "file" / "cache"):
        pass


def test_a_file_with_another_hash_is_refused(tmp_path):
    (tmp_path / "x").write_bytes(b"x")
    with pytest.raises(ModelRefused, match="registered"):
        require_sha256(tmp_path / "x", "0" * 64)
