"""Finds where mistakes in the values of a policy are written in its file, and says them in words for its author."""

import re
from dataclasses import replace

from rails.findings import Finding
from rails.yaml_text import Path, Place, YamlText

_PREFIX = re.compile(r"([a-z_]+(?:[.\[][A-Za-z0-9_.\[\]-]*)?)(?:, rail '[a-z_]+')?: ")
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def placed(problem: str, text: YamlText) -> Finding:
    """Returns what the loader says of a policy as a finding: its place, what is wrong, and what to do."""
    found = _PREFIX.match(problem)
    path = _path(found[1]) if found else ()
    is_known = bool(path) and text.at(path[0]) != Place()
    said = problem[found.end() :] if found and is_known else problem
    wrong, _, remedy = said.rstrip().removesuffix(".").rpartition(". ")
    place = text.at(*path) if is_known else Place()
    if not wrong:
        return place.finding("policy.invalid", f"{remedy[:1].upper()}{remedy[1:]}.", "Correct it.")
    return place.finding("policy.invalid", f"{wrong[:1].upper()}{wrong[1:]}.", f"{remedy}.")


def plain_number(finding: Finding) -> Finding:
    """Returns a finding that is about a number or a date in words for its author; others as they are."""
    if finding.code == "yaml.value" and " a timestamp" in finding.message:
        return replace(finding, message=finding.message.replace(" a timestamp", " a date"))
    if finding.code == "yaml.value" and " a float" in finding.message:
        sign = finding.message.split("'")[1]
        message = f"`{sign}` stands for no number that anything can be compared with."
        return replace(
            finding, message=message, remedy="Write a number in digits; put it in quotes where it is a text."
        )
    return finding


def _path(written: str) -> Path:
    return tuple(int(digits) if digits else name for digits, name in _STEP.findall(written))
