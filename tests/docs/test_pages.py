"""Every page of the manual stands in one list, and says in its first lines for whom it is."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.demo_process import ROOT

DOCS = ROOT / "docs"
PAGES = [path for path in sorted(DOCS.rglob("*.md")) if path.relative_to(DOCS).parts[0] != "adr"]
LIST = re.compile(r"```\{toctree\}\n(.*?)```", re.DOTALL)
FIRST = 600
"""Characters within which a reader is told."""


def listed() -> Counter[str]:
    found: Counter[str] = Counter()
    for path in PAGES:
        for one in LIST.findall(path.read_text()):
            found.update(line for line in one.splitlines() if line and not line.startswith(":"))
    return found


def test_every_page_stands_in_one_list() -> None:
    names = {str(path.relative_to(DOCS).with_suffix("")) for path in PAGES} - {"index"}
    assert listed() == Counter({**dict.fromkeys(names, 1), "adr/*": 1})


def test_no_page_says_how_soon_a_publish_is_live_without_the_setting_that_bounds_it() -> None:
    parts = [(path.stem, part) for path in PAGES for part in re.split(r"\n\n|\n(?=\|)", path.read_text())]
    assert [one for one in parts if re.search(r"live[^.]*two seconds", one[1]) and "superseded_s" not in one[1]] == []


@pytest.mark.parametrize(
    "path", [one for one in PAGES if one.stem != "index"], ids=lambda one: f"{one.parent.name}-{one.stem}"
)
def test_a_page_says_for_whom_it_is(path: Path) -> None:
    begin = path.read_text().partition("\n")[2][:FIRST]
    assert re.search(r"\bFor (whoever|operators|programmers|developers|web developers|curators|anybody)\b", begin)
