"""Nobody is told to install the name canongate from a registry: it is not ours there, and anybody may take it."""

import re

from test_no_secrets import ROOT, tracked

FROM_A_REGISTRY = re.compile(r"pip3? install (?:-\S+ )*['\"]?canon" + "gate")


def test_no_text_says_to_install_us_from_a_registry() -> None:
    found = []
    for name in set(tracked()) - {"CHANGELOG.md"}:
        try:
            text = (ROOT / name).read_text()
        except UnicodeDecodeError:
            continue  # a picture
        if FROM_A_REGISTRY.search(text):
            found.append(name)
    assert found == []
