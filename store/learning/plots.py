"""The calibration report's pictures, as SVG: drawn where fitting runs, without a display."""

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from store.learning.fit import HeldOut, HeldOutKind
from store.learning.limits import to_logit
from store.learning.metrics import NONE, Flags, Scores, is_right
from store.learning.report import Report
from store.scoring import Limits
from store.trade_off import TradeOff

_BINS = 40
_EDGE = 7.0
"""Where the axis of scores ends, as a logit: probabilities of .001 and .999."""
_LEAST = 1e-4
"""Where the axis of wrong answers begins; what is rarer, or never happens, stands at its edge."""
_INK, _PAPER = "#1f2328", "#fefefe"
_GREEN, _RED, _ORANGE = "#1b7f5c", "#c0303f", "#b05a00"
_VIOLET, _GREY, _BLUE, _AMBER = "#7446c4", "#626a75", "#1f63c2", "#8a6500"
_DARK = {
    _INK: "#e4e7eb",
    _PAPER: "#15181c",
    _GREEN: "#4fcf9f",
    _RED: "#ff7c87",
    _ORANGE: "#f5a55a",
    _VIOLET: "#b99cff",
    _GREY: "#a3abb6",
    _BLUE: "#7fb2ff",
    _AMBER: "#e3b341",
}
"""Each colour on a dark screen. Both are at least 4.5 : 1 on their paper, as text needs (WCAG 2.2, 1.4.3)."""
_WIDTH = 7.2
_STYLE = {
    "svg.hashsalt": "canongate",
    "svg.fonttype": "none",  # text stays text: it can be selected and read aloud
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "figure.facecolor": _PAPER,
    "axes.facecolor": "none",
    "savefig.facecolor": _PAPER,
    "legend.frameon": False,
}


@dataclass(frozen=True, slots=True)
class _Group:
    """Held-out sentences of which the same becomes: answering is right, or wrong for the same reason."""

    name: str
    rows: Flags
    colour: str


def score_histogram(held_out: HeldOut, limits: Limits) -> bytes:
    """Returns how the scores of each kind of sentence lie, one below the other, with the limits across them all."""
    groups = _groups(held_out)
    with _drawn(len(groups), height=0.85 * len(groups) + 1.2) as (figure, panels):
        for axes, group in zip(panels, groups, strict=True):
            _histogram(axes, held_out.scores[group.rows, 0], group, limits)
        marks = _marks(limits)
        for place, _, dashes in marks:
            for axes in panels:
                axes.axvline(place, color=_AMBER, linestyle=dashes, linewidth=1.4, clip_on=False)
        _name_marks(panels[0], marks)
        ticks = np.array([0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999])
        panels[-1].set_xticks(to_logit(ticks), [f"{tick:g}" for tick in ticks])
        panels[-1].set_xlabel("score of the best prompt")
        figure.supylabel("share of the sentences", fontsize=10)
        counts = ", ".join(f"{group.name}: {int(group.rows.sum())}" for group in groups)
        return _svg(
            figure,
            "scores",
            "Scores of held-out sentences",
            f"Histograms of the best prompt's score, by kind of sentence. {counts}. {_limits_in_words(limits)}",
        )


def _groups(held_out: HeldOut) -> tuple[_Group, ...]:
    """The groups that have sentences; of a counterexample only the prompt that it excludes is known to be wrong."""
    first, kinds = held_out.candidates[:, 0], held_out.kinds
    ranked = first != NONE
    inside = (kinds == HeldOutKind.IN_SCOPE) & ranked
    right = is_right(first, held_out.truths)
    countered = (kinds == HeldOutKind.COUNTEREXAMPLE) & (first == held_out.labels) & ranked
    groups = (
        _Group("phrasings, their own prompt first", inside & right, _GREEN),
        _Group("phrasings, another prompt first", inside & ~right, _RED),
        _Group("near misses, no prompt is right", (kinds == HeldOutKind.NEAR_MISS) & ranked, _ORANGE),
        _Group("counterexamples, the excluded prompt first", countered, _VIOLET),
        _Group("strangers, no prompt is right", (kinds == HeldOutKind.STRANGER) & ranked, _GREY),
    )
    return tuple(group for group in groups if group.rows.any()) or groups[:1]


def _histogram(axes: Axes, scores: Scores, group: _Group, limits: Limits) -> None:
    edges = np.linspace(-_EDGE, _EDGE, _BINS + 1)
    shares, _ = np.histogram(np.clip(to_logit(scores), -_EDGE, _EDGE), edges)
    axes.stairs(shares / max(len(scores), 1), edges, fill=True, color=group.colour, alpha=0.35)
    axes.stairs(shares / max(len(scores), 1), edges, color=group.colour, linewidth=1.4)
    is_answering = limits.answer <= 1
    reach = float((scores >= (limits.answer if is_answering else limits.suggest)).mean()) if len(scores) else 0.0
    what = "reach the limit" if is_answering else "can be offered"
    axes.set_title(f"{group.name} ({len(scores)}); {reach:.1%} {what}", fontsize=9, loc="left", pad=3)
    axes.set_xlim(-_EDGE, _EDGE)
    axes.set_ylim(bottom=0)
    axes.locator_params(axis="y", nbins=2)


def _marks(limits: Limits) -> list[tuple[float, str, object]]:
    """Where the limits lie on the axis, what they are called, and how their lines are dashed."""
    named: tuple[tuple[float, str, object], ...] = (
        (limits.suggest, "offered", (0, (4, 3))),
        (limits.answer, "answered", "-"),
    )
    return [
        (float(np.clip(to_logit(np.array([score]))[0], -_EDGE, _EDGE)), f"{name} from {_shown(score)}", dashes)
        for score, name, dashes in named
        if score <= 1
    ]


def _shown(score: float) -> str:
    """Writes two digits, and more where two would say 0 or 1."""
    return next((text for digits in (2, 3, 4) if 0 < float(text := f"{score:.{digits}f}") < 1), f"{score:.5f}")


def _name_marks(axes: Axes, marks: Sequence[tuple[float, str, object]]) -> None:
    """Writes the names above all panels, away from the bars and from each other, to the side that has more room."""
    for row, (place, name, _) in enumerate(marks):
        is_left = place > 0
        axes.annotate(
            name,
            (place, 1),
            xycoords=("data", "axes fraction"),
            xytext=(-2 if is_left else 2, 18 + 12 * row),
            textcoords="offset points",
            fontsize=9,
            ha="right" if is_left else "left",
        )


def _limits_in_words(limits: Limits) -> str:
    if limits.answer > 1:
        return f"No score is enough to be answered; from {limits.suggest:.3f} on a prompt is offered."
    return (
        f"From {limits.answer:.3f} on a message is answered where no other gate stops it, "
        f"from {limits.suggest:.3f} on a prompt is offered."
    )


def coverage_curve(curve: TradeOff, report: Report) -> bytes:
    """Returns how many messages can be answered rightly at which rate of wrong answers, asking back or not."""
    own, rate = report.store, report.stated_rate
    wrong = np.maximum(curve.false_match, _LEAST)
    with _drawn(1, height=3.8) as (figure, (axes,)):
        place = max(own.false_match.value, _LEAST)
        for label, shares, colour, dashes, at_limits in (
            ("answered rightly", curve.coverage, _GREEN, "-", own.coverage.value),
            (
                "or asked back with the right prompt",
                curve.with_clarify,
                _BLUE,
                "--",
                own.coverage.value + own.clarify.value,
            ),
        ):
            axes.step(wrong, shares, dashes, where="post", color=colour, linewidth=1.8, label=label)
            # In the corner of (0, 0) half a dot would be hidden.
            axes.plot([place], [at_limits], "o", color=colour, markersize=7, clip_on=False, zorder=3)
        axes.plot([], [], "o", color=_GREY, label="at the chosen limits")
        axes.axvline(rate, color=_AMBER, linestyle=":", linewidth=1.6, label=f"stated rate {rate:g}")
        axes.set_xscale("log")
        axes.set_xlim(_LEAST, 1)
        axes.set_ylim(0, 1.02)
        axes.set_xticks([1e-4, 1e-3, 1e-2, 1e-1, 1], ["\u2264 0.0001", "0.001", "0.01", "0.1", "1"])
        axes.set_xlabel("wrong answers, share of all messages expected")
        axes.set_ylabel("share of messages that have a prompt")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize=9)
        return _svg(
            figure,
            "coverage",
            "Coverage against wrong answers",
            f"At the chosen limits {own.coverage.value:.1%} of the messages that have a prompt are answered with it, "
            f"{own.clarify.value:.1%} asked back with the right prompt among those offered, and "
            f"{own.false_match.value:.2%} of all messages answered with a wrong one; {rate:.2%} are tolerated. The "
            f"lines are what other limits for answering would do, every other gate as it is.",
        )


@contextmanager
def _drawn(panels: int, *, height: float) -> Iterator[tuple[Figure, tuple[Axes, ...]]]:
    """Gives a figure with panels one below the other, and draws in the house's style."""
    with mpl.rc_context(_STYLE):  # type: ignore[arg-type]  # its keys are typed as literals, one for each of 300
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        yield figure, tuple(figure.subplots(panels, 1, sharex=True, squeeze=False)[:, 0])


def _svg(figure: Figure, name: str, title: str, description: str) -> bytes:
    """Writes the same bytes for the same figure: no date, and ids that depend on the content alone.

    Colours stand in the elements, so that a viewer without style sheets shows the light picture; the picture's own
    style sheet replaces them where the reader prefers dark. `name` keeps the ids of pictures in one page apart.
    """
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", out.getvalue(), flags=re.DOTALL)
    opening, inside = text[text.index("<svg") :].split(">", 1)
    opening = opening.replace("<svg ", f'<svg role="img" aria-labelledby="{name}-title {name}-desc" ', 1)
    named = f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-desc">{escape(description)}</desc>'
    return f"{opening}>{named}<style>{_dark_rules()}</style>{inside}".encode()


def _dark_rules() -> str:
    # No ancestor is named: what a <use> element repeats has none that a rule could match.
    rules = [
        f'[style*="{part}: {light}"]{{{part}:{dark}!important}}'
        for light, dark in _DARK.items()
        for part in ("fill", "stroke")
    ]
    return f"@media (prefers-color-scheme:dark){{{''.join(rules)}}}"
