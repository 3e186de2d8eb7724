"""Writes what canongate consists of as a CycloneDX 1.6 document, and its licences as a list: `make sbom`.

Python packages are those that the installed gateway asks for, packages of its packages included; then what is bundled
into the scripts of its pages, and the weights that come with it. What only builds or tests it is left out.
"""

import argparse
import json
import re
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from models.catalog import KNOWN_MODELS

ROOT = Path(__file__).parents[1]
NAME = "canongate"
EXTRAS = ("cpu", "otel", "postgres", "redis")
"""What a container is installed with."""
LOCKS = ("gateway/web/script/package-lock.json", "gateway/web/widget/package-lock.json")
_CLASSIFIER = "License :: "
_SHORT = re.compile(r"[^\n]{1,80}")
_NAMES = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache 2.0 License": "Apache-2.0",
    "ISC License": "ISC",
    "MIT License": "MIT",
}
"""What a name means for certain."""
STATED_IN_FILES = {
    **dict.fromkeys(
        (
            *("contourpy", "cycler", "google-re2", "jinja2", "kiwisolver", "mpmath", "prompt-toolkit", "scipy"),
            *("segno", "sympy"),
        ),
        "BSD-3-Clause",
    ),
    "matplotlib": "LicenseRef-matplotlib",
    "nest-asyncio": "BSD-2-Clause",
    "py-rust-stemmers": "MIT",
    "python-stdnum": "LGPL-2.1-or-later",
    "rich-click": "MIT",
    "safetensors": "Apache-2.0",
    "tokenizers": "Apache-2.0",
}
"""Packages whose metadata say nothing or only the family, as the files beside their code have it. Matplotlib's licence
is its own; it is modelled on Python's."""


def main() -> None:
    """Writes both files into a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=ROOT / "var" / "sbom")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    bill = bill_of_materials()
    (folder / "canongate.cdx.json").write_text(json.dumps(bill, indent=2) + "\n")
    (folder / "licences.txt").write_text("\n".join(licence_list(bill)) + "\n")


def bill_of_materials() -> dict[str, Any]:
    """Returns the document; the same installation always gives the same one."""
    found = installed()
    own = found.pop(NAME)
    python = [_python(one) for one in found.values()]
    parts = sorted([*python, *_scripts(), *_weights()], key=lambda part: (part["type"], part["bom-ref"]))
    root = {**_python(own), "type": "application"}
    known = {part["bom-ref"] for part in parts}
    edges = [
        {"ref": _ref(one), "dependsOn": sorted({_ref(found[name]) for name in _asked(one, ()) if name in found})}
        for one in found.values()
    ]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, ' '.join(sorted(known)))}",
        "version": 1,
        "metadata": {"component": root},
        "components": parts,
        "dependencies": [{"ref": root["bom-ref"], "dependsOn": sorted(known)}, *edges],
    }


def licence_list(bill: dict[str, Any]) -> Iterator[str]:
    """Yields a line for each part: licence, name and version."""
    lines = ((_said(part), part["name"], part.get("version", "")) for part in bill["components"])
    yield from (f"{licence:<60} {name} {version}".rstrip() for licence, name, version in sorted(lines))


def _said(part: dict[str, Any]) -> str:
    chosen = part["licenses"][0]
    return str(chosen.get("expression") or chosen["license"]["name"])


def installed() -> dict[str, Distribution]:
    """Returns canongate and everything that it asks for, by name; what is asked for and not installed is not there."""
    found: dict[str, Distribution] = {}
    waiting = [(NAME, EXTRAS)]
    seen: set[tuple[str, tuple[str, ...]]] = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue
        waiting += [(asked, more) for asked, more in _asked(found[name], extras).items()]
    return found


def _asked(one: Distribution, extras: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    asked: dict[str, tuple[str, ...]] = {}
    for text in one.requires or ():
        need = Requirement(text)
        if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            asked[canonicalize_name(need.name)] = tuple(sorted(need.extras))
    return asked


def _ref(one: Distribution) -> str:
    return f"pkg:pypi/{canonicalize_name(one.metadata['Name'])}@{one.version}"


def _python(one: Distribution) -> dict[str, Any]:
    reference = _ref(one)
    return {
        "type": "library",
        "bom-ref": reference,
        "name": one.metadata["Name"],
        "version": one.version,
        "licenses": [_licence(_licence_of(one))],
        "purl": reference,
    }


def _licence_of(one: Distribution) -> str:
    said = one.metadata
    if expression := said.get("License-Expression"):
        return expression
    classified = [
        line.rpartition(" :: ")[2] for line in said.get_all("Classifier") or [] if line.startswith(_CLASSIFIER)
    ]
    short = _SHORT.match((said.get("License") or "").strip())
    name = short[0] if short and "\n" not in (said.get("License") or "").strip() else ", ".join(classified)
    return STATED_IN_FILES.get(canonicalize_name(said["Name"])) or _NAMES.get(name, name)


def _licence(text: str) -> dict[str, Any]:
    """Returns an SPDX expression; what is none stays a name, which the tests of this file refuse."""
    try:
        return {"expression": canonicalize_license_expression(text)}
    except InvalidLicenseExpression:
        return {"license": {"name": text or "not stated"}}


def _scripts() -> Iterator[dict[str, Any]]:
    for lock in LOCKS:
        for place, one in json.loads((ROOT / lock).read_text())["packages"].items():
            if not place or one.get("dev"):
                continue
            name = place.rpartition("node_modules/")[2]
            reference = f"pkg:npm/{name.replace('@', '%40')}@{one['version']}"
            yield {
                "type": "library",
                "bom-ref": reference,
                "name": name,
                "version": one["version"],
                "licenses": [_licence(one["license"])],
                "purl": reference,
            }


def _weights() -> Iterator[dict[str, Any]]:
    for model in KNOWN_MODELS:
        yield {
            "type": "machine-learning-model",
            "bom-ref": f"model:{model.name}",
            "name": model.name,
            "licenses": [_licence(model.licence)],
            "hashes": [{"alg": "SHA-256", "content": model.sha256}],
        }


if __name__ == "__main__":
    main()
