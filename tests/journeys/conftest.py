"""One browser and one gateway for all journeys; each journey has people of its own."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.journeys import town as towns
from tests.journeys.town import Town
from tests.real_browser import CHROMIUM, start

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = [one for one in items if one.path.parent.name == "journeys"]
    for one in here:
        one.add_marker(pytest.mark.browser)
        one.add_marker(pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here; run `make browser`"))


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - heavy, and only where there is a browser

    with sync_playwright() as playwright:
        browser = start(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a gateway with the example help desk, which takes 3 seconds; do not change it."""
    folder = tmp_path_factory.mktemp("filled")
    with towns.opened(None, folder) as made:
        towns.fill(made)
    return folder / "data"


@pytest.fixture(scope="module")
def served_town(chromium: "Browser", filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    shutil.copytree(filled, folder / "data")
    with towns.opened(chromium, folder) as made:
        made.until_live()
        yield made


@pytest.fixture
def town(served_town: Town) -> Iterator[Town]:
    """The gateway with the example help desk."""
    yield served_town
    served_town.clear()


@pytest.fixture
def empty_town(chromium: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A gateway that was started for the first time."""
    with towns.opened(chromium, tmp_path_factory.mktemp("empty")) as made:
        yield made
        made.clear()
