"""The calibration report's pictures, as SVG: drawn where fitting runs, without a display."""

import io
import re
from contextlib import AbstractContextManager
from html import escape

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from store.learning.fit import HeldOut, HeldOutKind
from store.learning.limits import to_logit
from store.learning.metrics import NONE, Flags, Scores, is_offered, is_right
from store.learning.report import Report, wrongly
from store.scoring import Limits

_INK = "#010203"
"""Stands for the page's own text colour, which matplotlib cannot name."""
_RIGHT, _WRONG, _OUTSIDE, _STATED = "#2f9e77", "#d1495b", "#8a8f98", "#c98500"
"""At least 3 : 1 on white and on near black; lines differ in form too, for those who do not see red and green."""
_SIZE = (7.2, 3.8)
_BINS = 40
_STYLE = {
    "svg.hashsalt": "canongate",
    "svg.fonttype": "none",  # text stays text: selectable, read aloud, in the page's font
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.frameon": False,
}


def score_histogram(held_out: HeldOut, limits: Limits) -> bytes:
    """Returns how the scores of right, wrong and out-of-scope sentences lie, with the limits."""
    first = held_out.candidates[:, 0]
    ranked = first != NONE
    inside = (held_out.kinds == HeldOutKind.IN_SCOPE) & ranked
    right = is_right(first, held_out.truths)
    groups = (
        ("its own prompt first", inside & right, _RIGHT, "-"),
        ("another prompt first", inside & ~right, _WRONG, "--"),
        ("no prompt is right", ~(held_out.kinds == HeldOutKind.IN_SCOPE) & ranked, _OUTSIDE, ":"),
    )
    with _style():
        figure, axes = _figure()
        edges = np.linspace(-7, 7, _BINS + 1).tolist()
        for label, rows, colour, dashes in groups:
            logits = np.clip(to_logit(held_out.scores[rows, 0]), edges[0], edges[-1])
            shares = np.full(len(logits), 1 / max(len(logits), 1))
            axes.hist(logits, edges, weights=shares, color=colour, alpha=0.25)
            axes.hist(
                logits,
                edges,
                weights=shares,
                histtype="step",
                color=colour,
                linestyle=dashes,
                linewidth=1.6,
                label=f"{label} ({len(logits)})",
            )
        _mark(axes, limits.answer, "answered", "-")
        _mark(axes, limits.suggest, "offered", (0, (4, 3)))
        ticks = np.array([0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999])
        axes.set_xticks(to_logit(ticks), [f"{tick:g}" for tick in ticks])
        axes.set_xlabel("score of the best prompt")
        axes.set_ylabel("share of the sentences")
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.2), ncols=3, fontsize=9, handlelength=1.6)
        counts = ", ".join(f"{int(rows.sum())} where {label}" for label, rows, _, _ in groups)
        return _svg(
            figure,
            "Scores of held-out sentences",
            f"Histogram of the best prompt's score: {counts}. From {limits.answer:.3f} on a message is answered, "
            f"from {limits.suggest:.3f} on a prompt is offered.",
        )


def coverage_curve(held_out: HeldOut, weights: Scores, report: Report) -> bytes:
    """Returns how many messages can be answered rightly at which rate of wrong answers, asking back or not."""
    first = held_out.candidates[:, 0]
    inside = held_out.kinds == HeldOutKind.IN_SCOPE
    alone = _weighted(held_out, weights, is_right(first, held_out.truths), wrongly(held_out, first))
    among = is_offered(held_out.candidates, held_out.truths)
    asking = _weighted(held_out, weights, among, wrongly(held_out, first) & ~among)
    rate = report.stated_rate
    with _style():
        figure, axes = _figure()
        for label, (wrong, coverage), dashes, width in (
            ("answered", alone, "-", 2.0),
            ("answered, or the right one among three", asking, "--", 1.5),
        ):
            shown = wrong > 0
            axes.plot(wrong[shown], coverage[shown], dashes, color=_RIGHT, linewidth=width, label=label)
        own = report.store
        axes.axvline(rate, color=_STATED, linestyle=":", linewidth=1.6, label=f"stated rate {rate:g}")
        axes.plot([max(own.false_match.value, 1e-4)], [own.coverage.value], "o", color=_WRONG, label="at the limits")
        axes.set_xscale("log")
        axes.set_xlim(1e-4, 1)
        axes.set_ylim(0, 1)
        axes.set_xticks([1e-4, 1e-3, 1e-2, 1e-1, 1], ["0.0001", "0.001", "0.01", "0.1", "1"])
        axes.set_xlabel("wrong answers, share of all messages expected")
        axes.set_ylabel("share of messages that have a prompt")
        axes.legend(loc="upper left", fontsize=9)
        return _svg(
            figure,
            "Coverage against wrong answers",
            f"At the chosen limits {own.coverage.value:.1%} of the messages that have a prompt are answered with it, "
            f"and {own.false_match.value:.2%} of all messages with a wrong one; {rate:.2%} are tolerated. Of "
            f"{int(inside.sum())} held-out phrasings.",
        )


def _style() -> AbstractContextManager[None]:
    return mpl.rc_context(_STYLE)  # type: ignore[arg-type]  # its keys are typed as literals, one for each of 300


def _figure() -> tuple[Figure, Axes]:
    figure = Figure(figsize=_SIZE, layout="constrained")
    return figure, figure.add_subplot()


def _mark(axes: Axes, score: float, label: str, dashes: object) -> None:
    place = float(to_logit(np.array([score]))[0])
    if abs(place) > 7:  # noqa: PLR2004 - the axis' own end
        return
    axes.axvline(place, color=_STATED, linestyle=dashes, linewidth=1.4)
    axes.annotate(
        f"{label} from {score:.2f}",
        (place, 1),
        xycoords=("data", "axes fraction"),
        xytext=(3, -2),
        textcoords="offset points",
        fontsize=8,
        va="top",
        rotation=90,
    )


def _weighted(held_out: HeldOut, weights: Scores, right: Flags, wrong: Flags) -> tuple[Scores, Scores]:
    """Accepts by falling score, equal ones together: the wrong share of the mix, the right one of in-scope rows."""
    scores = held_out.scores[:, 0]
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.diff(scores[order]) != 0, values=True)
    inside = max(int((held_out.kinds == HeldOutKind.IN_SCOPE).sum()), 1)
    return np.cumsum((weights * wrong)[order])[ends], (np.cumsum(right[order]) / inside)[ends]


def _svg(figure: Figure, title: str, description: str) -> bytes:
    """Writes the same bytes for the same figure: no date, and ids that depend on the content alone."""
    out = io.StringIO()
    figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", out.getvalue(), flags=re.DOTALL)
    text = text[text.index("<svg") :].replace(_INK, "currentColor")
    named = f'<title id="title">{escape(title)}</title><desc id="desc">{escape(description)}</desc>'
    opening = re.sub(
        r"<svg ", '<svg role="img" aria-labelledby="title desc" color="#767b84" ', text[: text.index(">") + 1], count=1
    )
    return (opening + named + text[text.index(">") + 1 :]).encode()
