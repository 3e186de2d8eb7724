"""Whatever of its files a machine that lost its power left torn: the gateway starts, and answers as before."""

import os
import random
import shutil
from pathlib import Path

import pytest

from gateway.errors import NotServing
from store.errors import StoreUnavailable
from store.types import Outcome
from tests.faults.small_gateway import Town

EXACT, NEAR, ODD = "How do I reset my password?", "How do I reset my password here?", "Which wine goes with fish?"
WANTED = [Outcome.ANSWERED, Outcome.ANSWERED, Outcome.NO_MATCH]


@pytest.fixture
def town(tmp_path: Path):
    made = Town(tmp_path)
    made.office.publish("Explain how to reset a forgotten password, once more.")
    made.start()
    yield made
    made.close()


def outcomes(town: Town) -> list[Outcome]:
    return [town.gateway.ask(text).decision.outcome for text in (EXACT, NEAR, ODD)]


def empty(path: Path) -> None:
    os.truncate(path, 0)


def half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 0x10
    path.write_bytes(data)


def noise(path: Path) -> None:
    path.write_bytes(random.Random(5).randbytes(path.stat().st_size))  # noqa: S311 - the same noise each time


def longer(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\0" * 4096)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [empty, half, flipped, noise, longer, a_folder])
def test_an_index_that_was_torn_is_made_anew(town: Town, damage) -> None:
    assert outcomes(town) == WANTED
    town.kill()
    files = [one for one in (town.folder / "index").iterdir() if one.is_file()]
    assert files
    for file in files:
        damage(file)
    town.start()
    assert outcomes(town) == WANTED


def test_half_written_files_that_a_kill_left_are_no_obstacle(town: Town) -> None:
    town.kill()
    folder = town.folder / "index"
    (folder / "index-000000000099.bin.tmp").write_bytes(b"half")
    (folder / "index-000000000098.bin").write_bytes(b"")
    town.start()
    assert outcomes(town) == WANTED


@pytest.mark.parametrize("sidecar", ["-shm", "-wal of nobody"])
def test_what_was_acknowledged_is_there_although_a_sidecar_of_the_database_was_torn(
    town: Town, tmp_path: Path, sidecar: str
) -> None:
    """The file as a kill leaves it: copied while it is open, so that what is new is in its log alone."""
    told = town.gateway.ask(EXACT).decision.id
    assert town.settled()
    source = Path(str(town.gateway.database.path))
    folder = tmp_path / "elsewhere"
    (folder / "data").mkdir(parents=True)
    for suffix in ("", "-wal", "-shm"):
        shutil.copyfile(f"{source}{suffix}", folder / "data" / f"{source.name}{suffix}")
    assert Path(f"{source}-wal").stat().st_size > 0
    if sidecar == "-shm":
        noise(folder / "data" / f"{source.name}-shm")
    else:
        with (folder / "data" / f"{source.name}-wal").open("ab") as file:
            file.write(b"\x37" * 3000)  # the beginning of a write that was never finished
    town.office.database.close()
    town.kill()
    shutil.rmtree(source.parent)
    shutil.move(folder / "data", source.parent)
    town.start()
    assert outcomes(town) == WANTED
    assert told in town.kept()
    assert town.published() == (2, "Explain how to reset a forgotten password, once more.")


def test_a_database_that_is_no_database_any_more_stops_the_start_and_is_left_as_it_is(town: Town) -> None:
    path = Path(str(town.gateway.database.path))
    town.office.database.close()
    town.kill()
    noise(path)
    before = path.read_bytes()
    with pytest.raises((StoreUnavailable, NotServing)):
        town.start()
    assert path.read_bytes() == before
