"""The calibration report as files: figures for scripts, plots for people."""

from pathlib import Path

import msgspec

from gateway.errors import SettingsInvalid
from store.calibration import Calibration, mix
from store.learning.fit import HeldOut


def make_report_folder(folder: Path) -> None:
    """Makes the folder. Raises `SettingsInvalid`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsInvalid(f"--report: cannot make {folder}: {error.strerror}") from error


def write_report(folder: Path, calibration: Calibration, held_out: HeldOut) -> None:
    """Writes `report.json`, `scores.svg` and `coverage.svg`. Raises `SettingsInvalid`."""
    # Only here is matplotlib needed, which takes half a second and 40 MB.
    from store.learning.plots import coverage_curve, score_histogram  # noqa: PLC0415

    files = {
        "report.json": msgspec.json.format(msgspec.json.encode(calibration.report)),
        "scores.svg": score_histogram(held_out, calibration.limits),
        "coverage.svg": coverage_curve(held_out, mix(held_out, calibration.report.near_misses), calibration.report),
    }
    try:
        for name, data in files.items():
            (folder / name).write_bytes(data)
    except OSError as error:
        raise SettingsInvalid(f"--report: cannot write to {folder}: {error.strerror}") from error
