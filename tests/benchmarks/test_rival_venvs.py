from pathlib import Path

import pytest

from benchmarks.rivals import venvs
from benchmarks.rivals.venvs import RIVALS, NotInstalled, Rival


@pytest.mark.parametrize("rival", RIVALS, ids=lambda one: one.name)
def test_every_package_of_a_rival_has_its_version(rival: Rival) -> None:
    assert [pin for pin in rival.pins() if pin.count("==") != 1] == []
    assert rival.version()


def made(folder: Path, requirements: str) -> Rival:
    (folder / "made.txt").write_text(requirements)
    return Rival("made", "Made up", "made-up", "MIT", "https://example", folder / "venv", folder / "made.txt")


def test_comments_and_markers_are_no_part_of_a_version(tmp_path: Path) -> None:
    rival = made(tmp_path, '# why\nMade_Up==1.2  # beside\nother==2 ; python_version < "4"\n--no-binary made-up\n')
    assert rival.pins() == ["Made_Up==1.2", "other==2"]
    assert rival.version() == "1.2"


def test_an_environment_of_other_versions_is_not_ready(tmp_path: Path) -> None:
    rival = made(tmp_path, "made-up==1.2\n")
    assert not rival.is_ready()
    rival.folder.mkdir()
    rival.stamp.write_text("made-up==1.1\n")
    assert not rival.is_ready()
    rival.stamp.write_text("made-up==1.2\n")
    assert rival.is_ready()


def test_size_is_that_of_packages_without_pip_and_compiled_modules(tmp_path: Path) -> None:
    rival = made(tmp_path, "made-up==1.2\n")
    packages = rival.folder / "lib" / "python3.11" / "site-packages"
    for name, size in {"made/a.py": 10, "made/__pycache__/a.pyc": 1000, "pip/b.py": 500, "c.so": 7}.items():
        path = packages / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
    assert rival.installed_bytes() == 17


def test_what_cannot_be_installed_says_why(tmp_path: Path) -> None:
    with pytest.raises(NotInstalled, match=r"No matching distribution found for made-up==1\.2"):
        made(tmp_path, "--no-index\nmade-up==1.2\n").prepare(lambda _: None)


def test_an_installation_that_hangs_takes_no_others_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(venvs, "INSTALL_S", 0.01)
    with pytest.raises(NotInstalled, match=r"timed out after 0\.01 seconds"):
        made(tmp_path, "made-up==1.2\n").prepare(lambda _: None)
