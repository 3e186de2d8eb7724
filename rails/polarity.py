"""Which words of a sentence are denied, and which of them have an opposite."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType

from rails.wordlists import word_set

_NEGATORS = word_set(
    "not no never cannot can't don't doesn't didn't isn't aren't wasn't weren't won't wouldn't shouldn't mustn't "
    "couldn't haven't hasn't hadn't nobody nothing neither nor none "
    "nicht kein keine keinen keinem keiner nie niemals ne pas jamais aucun aucune nunca jamás ningún ninguna"
)
_UNCLEAR = word_set(
    "than until till unless without only later longer except but although though whether either "
    "als bis außer ohne nur sondern sauf sans que hasta sin sino salvo"
)
"""Words with which a sentence bounds or excepts instead of denying: `not more than`, `not until`, `no ... without`."""
_NOT_DENIED = word_set("forget hesitate worry fail miss hesit")
"""Verbs that a negation turns into a request: `do not forget to lock it`. Stems as well."""
_SCOPE = 2
"""Content words after a negator that it denies."""
_PAIRS = (
    "open closed|opens closes|opened closed|before after|always never|more less|more fewer|increase decrease"
    "|increases decreases|increased decreased|higher lower|highest lowest|allowed forbidden|allowed prohibited"
    "|permitted forbidden|permitted prohibited|first last|above below|minimum maximum|least most|include exclude"
    "|included excluded|includes excludes|enable disable|enabled disabled|lock unlock|locked unlocked|up down"
    "|left right|upper lower|earliest latest|inside outside|internal external|required optional|mandatory optional"
    "|paid unpaid|free charged|accept reject|accepted rejected|approve deny|approved denied|approved rejected"
    "|morning evening|day night|largest smallest|larger smaller|longest shortest|longer shorter|north south"
    "|northern southern|east west|eastern western|older younger|oldest youngest|won lost|success failure"
    "|within after|only everyone|only everybody|only anyone|only anybody"
    "|buy sell|bought sold|import export|arrival departure|upload download|public private|temporary permanent"
    "|online offline|with without|same different|true false|possible impossible|legal illegal|valid invalid"
    "|start end|starts ends|born died|attach remove|install uninstall|on off|male female|former current"
    "|gewährt verweigert|offen geschlossen|vor nach|immer nie|mehr weniger|höchstens mindestens|erlaubt verboten"
    "|ouvert fermé|avant après|toujours jamais|plus moins|autorisé interdit|abierto cerrado|antes después"
    "|siempre nunca|más menos|permitido prohibido"
)


def _opposites() -> Mapping[str, frozenset[str]]:
    table: dict[str, set[str]] = {}
    for pair in _PAIRS.split("|"):
        one, other = pair.split()
        table.setdefault(one, set()).add(other)
        table.setdefault(other, set()).add(one)
    return MappingProxyType({word: frozenset(others) for word, others in table.items()})


OPPOSITES = _opposites()
"""By word: the words that say the contrary."""
_OPPOSED = frozenset(OPPOSITES)


@dataclass(frozen=True, slots=True)
class Polarity:
    """What a sentence denies and affirms. A key can be in both, when the sentence does not say which."""

    denied: frozenset[str]
    affirmed: frozenset[str]
    opposed: frozenset[str]
    """Words that have an opposite."""


def polarity_of(words: Sequence[str], keys: Sequence[tuple[str, ...]]) -> Polarity:
    """Returns the polarity of the sentence with these words in lower case, each beside what stands for it."""
    opposed = _OPPOSED.intersection(words)
    every = frozenset(chain.from_iterable(keys))
    if _NEGATORS.isdisjoint(words):
        return Polarity(frozenset(), every, opposed)
    negators = [place for place, word in enumerate(words) if word in _NEGATORS]
    if len(negators) > 1 or not _UNCLEAR.isdisjoint(words):
        return Polarity(every, every, opposed)
    (place,) = negators
    turned = words[place + 1 : place + 2]
    if not opposed.isdisjoint(turned):  # who says "not open" says "closed"
        opposed = opposed.difference(turned).union(*map(OPPOSITES.__getitem__, turned))
    after = [several for several in keys[place + 1 :] if several][:_SCOPE]
    denied = frozenset(chain.from_iterable(after))
    if not denied.isdisjoint(_NOT_DENIED):
        return Polarity(frozenset(), every, opposed)
    return Polarity(denied, every - denied, opposed)
