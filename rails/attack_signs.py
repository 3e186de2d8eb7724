"""Cheap signs that a message is worth comparing with the exemplars of attacks, and what each of them adds.

Written for text that `disguises.plain` has folded. A message without any is passed as it is, which keeps an honest one
at some 30 µs; the signs alone block nothing.
"""

from dataclasses import dataclass
from functools import cache

from rails.exemplars import words
from rails.matching import compile_linear

_BLANKS = str.maketrans(dict.fromkeys(map(ord, '.,;:!?"()[]{}<>/\\|*_=+~`#-'), " "))
_STEALTH = compile_linear(
    r"\bwithout (?:\w+ ){0,3}(?:caught|notic\w+|detect\w+|know\w*|consent|permission|trace\w*|suspicion|found out"
    r"|evidence|prescription)\b|\b(?:undetect|untrace|unnotic)\w+|\bg[eo]t(?:s|ting)? away with\b|\bevad\w+"
    r"|\bavoid\w* (?:\w+ ){0,2}(?:detect\w*|caught|police|law)\b|\bsecretly\b|\bstep[- ]by[- ]step\b|\billegal\w*"
    r"|\b(?:guide|instructions|tutorial|tips|recipe) (?:for|on|to|that)\b"
    r"|\b(?:write|create|develop|draft|make|design|invent) (?:a|an|some) (?:\w+ ){0,3}(?:that|which|to|for|arguing)\b"
)
# Asking how a thing used to be done is the politest way of asking how it is done.
_PAST = compile_linear(
    r"\b(?:did|were|was|had|used to|past|historically|back then|formerly|previously|(?:old|those) days)\b"
)
_MANNER = compile_linear(
    r"\b(?:methods?|techniques?|strateg\w+|tactics|steps|procedures?|process|ways?|means|approach\w*|tricks|measures"
    r"|ingredients|tools|materials) (?:\w+ ){0,3}(?:was|were|did|used|have|had|employed|taken|involved|for|to|of|in)\b"
    r"|\bhow (?:did|were|was|would|had|could|have) (?:\w+ ){0,2}?(?:people|individual|someone|somebody|one|they|person"
    r"|\w+s) |\b(?:typically|usually|commonly|traditionally|often|generally|past|historically|used to|days)\b"
)
_HARMLESS = compile_linear(
    r"\b(?:defin\w+|mean(?:s|ing|t)?|difference between|what (?:is|are|was|were) (?:an?|the)|origins?|word|term"
    r"|synonym|spell|protect|prevent|report\w*|recogni[sz]e|guard against|defend|avoid being|stop|help a|victim|game"
    r"|novel|movie|film|video|who|when|where|why|law|punishment|history|tell me about|what happened|describe the"
    r"|what (?:do|should|must|can) (?:i|we) do|whom? (?:do|should|must|can) (?:i|we) (?:tell|call|ask|inform|contact)"
    r"|ask(?:s|ed|ing)? (?:me |us )?for)\b"
)
_DEFINITION = compile_linear(
    r"^\W*(?:what(?: is|'s| are) (?:an? |the )?[\w-]+(?: [\w-]+)?\W*$|what (?:kind|sort|type) of\b|define\b"
    r"|what does .{1,60} mean\b|what is (?:meant|the (?:meaning|definition|difference))\b)"
)
_MOST_WORDS = 4
# One word such as `rule` or `print` is in every tenth honest message; the words of orders.txt count twice.
_FEWEST_COMMANDS = 2


@cache
def _telling() -> frozenset[str]:
    return words("words") | words("commands") | words("orders")


@dataclass(frozen=True, slots=True)
class Signs:
    """What was found; all of it may have honest reasons."""

    harm: int
    """Different words that harmful requests are made of, up to four."""
    commands: int
    """Different words that orders to an assistant are made of, up to four."""
    is_stealthy: bool
    """Wants to stay unnoticed, or wants a text or a guide to be made."""
    asks_how_it_was_done: bool
    is_harmless: bool
    """Asks who, when or why, or how to prevent it."""
    is_definition: bool

    @property
    def lean(self) -> float:
        """What the signs add to the likeness with attacks, in units of log odds."""
        return (
            0.3 * self.harm
            + 0.6 * self.is_stealthy
            + 0.3 * self.asks_how_it_was_done
            - 0.6 * self.is_harmless
            - 1.0 * self.is_definition
        )


def signs_of(folded: str) -> Signs | None:
    """Returns the signs in a folded text, or None when it has none that makes a comparison worth its time."""
    said = set(folded.translate(_BLANKS).split())
    told = said & _telling()
    harm, commands = len(told & words("words")), len(told & words("commands")) + len(told & words("orders"))
    asks_how = _PAST.occurs_in(folded) and _MANNER.occurs_in(folded)
    if not harm and commands < _FEWEST_COMMANDS and not asks_how:
        return None
    return Signs(
        harm=min(harm, _MOST_WORDS),
        commands=min(commands, _MOST_WORDS),
        is_stealthy=_STEALTH.occurs_in(folded),
        asks_how_it_was_done=asks_how,
        is_harmless=_HARMLESS.occurs_in(folded),
        is_definition=_DEFINITION.occurs_in(folded),
    )
