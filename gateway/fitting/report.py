"""The calibration report as files: figures for scripts, plots for people."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from gateway.errors import SettingsInvalid
from store.calibration import Calibration
from store.learning.fit import HeldOut
from store.trade_off import trade_off

_FIGURES, _SCORES, _COVERAGE = "report.json", "scores.svg", "coverage.svg"


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

    curve = trade_off(held_out, calibration)
    files = {
        _FIGURES: msgspec.json.format(msgspec.json.encode(calibration.report)),
        _SCORES: score_histogram(held_out, calibration.limits),
        _COVERAGE: coverage_curve(curve, calibration.report),
    }
    _write(folder, files)


def write_no_figures(folder: Path, reason: str) -> None:
    """Writes a `report.json` that says why there are no figures, and removes the plots of a report before it."""
    _write(folder, {_FIGURES: msgspec.json.format(msgspec.json.encode({"no_figures": reason}))})


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    make_report_folder(folder)
    try:
        for name, data in files.items():
            (folder / name).write_bytes(data)
        for name in {_FIGURES, _SCORES, _COVERAGE} - set(files):
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise SettingsInvalid(f"--report: cannot write to {folder}: {error.strerror}") from error
