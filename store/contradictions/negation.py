"""What a sentence denies: the words that its "not", "never", "without" or "avoid" turn round."""

from dataclasses import dataclass
from itertools import pairwise, product

from store.contradictions.words import BREAK, CLAUSE_STARTS, Sentence
from store.wordlists import word_set

_NEGATORS = word_set("not never no without nor neither hardly exempt exempted excused lack lacks lacking")
_REFUSALS = word_set(
    "avoid avoiding prevent preventing stop stopping refuse refusing cease forbid forbidden prohibited"
)
"""Verbs that turn round what follows."""
_FIRM = _REFUSALS | {"not"}
_TROUBLE = word_set(
    "trouble problem problems issue issues error fail fails failed failing declined rejected broken wrong stopped "
    "nobody nothing"
)
"""Words that say the same as a "not" in a report: "trouble logging in", "cannot log in"."""
_WISHES = word_set("want need wish intend")
_REQUESTS = word_set("request order appli")
_ENDINGS = word_set("off end stop cancel delet remov terminat quit unsubscrib disabl block withdraw")
"""Acts that whoever wants a thing no longer asks for."""
_NEEDS = word_set("need requir necessari")
"""What asks whether one can do without."""
_VAGUE = word_set("get hav be do go ther as")
"""What a report may deny without saying much."""
_DOERS = word_set("i we you one")
_ASKING = word_set("how what where when who which why")
_AUXILIARIES = word_set("am is are was were do does did have has had can could may might must will would shall should")
_SKIPPED = word_set(
    "a an the this that these those i me my we us our you your he she it its they them their his her be am is are "
    "was were been do does did have has had can could may might must will would shall should to of at for from by "
    "about any some all also too very just even really actually ever yet again able longer more much many 's "
    "anyone someone somebody anybody going in on with please simply"
)
_CARRIERS = word_set("want need like wish intend plan try let make allow permit suppos going mean expect")
"""Verbs whose denial is the denial of what follows: "I don't want to cancel"."""
_REACH = 6
"""Words after a negator that it can still turn round."""
_IDLE_AFTER = {
    "not": word_set("only just sure yet certain"),
    "no": word_set("idea problem matter doubt one"),
    "stop": word_set("work"),
}
_IDLE_BEFORE = word_set("or if why whether")
_EVASIONS = word_set("bypass circumvent evad dodg sidestep secretli")
_EVASION_PAIRS = frozenset(product(word_set("get getting go going work way"), ("round", "around")))
_EXCEPTIONS = word_set("except excepting excluding unless")
_EXCEPTION_PAIRS = frozenset(
    {
        ("apart", "from"),
        ("other", "than"),
        ("all", "but"),
        ("everything", "but"),
        ("everyone", "but"),
        ("aside", "from"),
    }
)
_UNSEEN = frozenset(
    ("without", word) for word in word_set("permission approval asking telling anyone anybody noticing knowing")
)
"""What is done so that nobody can object."""


@dataclass(frozen=True, slots=True)
class Denial:
    """What a sentence denies."""

    places: frozenset[int]
    wilful: frozenset[str]
    """Stems of what is not wanted or not to be done: "how do I not ...", "without ...", "stop ..."."""
    reported: frozenset[str]
    """Stems of what does not happen: "cannot ...", "is not ..."."""
    is_firm: bool
    """Whether its very point is that something is not done or not wanted."""
    does_without: bool
    says_no: bool
    """Whether it denies anything or reports trouble."""
    asks: str
    """How it asks: the question word, "whether", or nothing for a statement."""


def read_denial(sentence: Sentence) -> Denial:
    """Returns what the sentence denies."""
    places: set[int] = set()
    wilful: set[str] = set()
    reported: set[str] = set()
    is_firm = says_no = False
    asks = _asks(sentence)
    for place, word in enumerate(sentence.words):
        if _denies(sentence, place) and not _is_idle(sentence, place):
            scope = _scope(sentence, place)
            places ^= scope
            is_wilful = _is_wilful(sentence, place, scope)
            (wilful if is_wilful else reported).update(sentence.stems[at] for at in scope)
            is_firm = is_firm or (is_wilful and (word in _FIRM or (word == "without" and asks in ("how", "whether"))))
            says_no = True
        says_no = says_no or word in _TROUBLE or word == "not"
    return Denial(
        frozenset(places),
        frozenset(wilful),
        frozenset(reported - _VAGUE),
        is_firm,
        "without" in sentence.words,
        says_no,
        asks,
    )


def _denies(sentence: Sentence, place: int) -> bool:
    word = sentence.words[place]
    if word in _NEGATORS or word in _REFUSALS:
        return True
    if word == "from":
        after = sentence.words[place + 1 : place + 2]
        is_kept = "keep" in sentence.stems[max(place - _REACH, 0) : place]
        return is_kept and bool(after) and after[0].endswith("ing")
    return sentence.stems[place] == "fail" and sentence.words[place + 1 : place + 2] == ("to",)


def _is_wilful(sentence: Sentence, place: int, scope: set[int]) -> bool:
    word = sentence.words[place]
    before = sentence.words[place - 1] if place else BREAK
    if (
        word in _REFUSALS
        or word in ("without", "never", "from")
        or not _WISHES.isdisjoint(sentence.words[at] for at in scope)
    ):
        return True
    is_order = before == "do" and (place == 1 or sentence.words[place - 2] == BREAK)
    return word == "not" and (
        is_order or before in _ASKING or before == "to" or (before in _DOERS and "how" in sentence.words[:place])
    )


def _asks(sentence: Sentence) -> str:
    first = next((word for word in sentence.words if word in _ASKING), None)
    if first:
        return first
    return "whether" if sentence.words and sentence.words[0] in _AUXILIARIES else ""


def evades(sentence: Sentence) -> bool:
    """Whether it asks how to get round a rule."""
    words = sentence.words
    if not _EVASIONS.isdisjoint(sentence.stems) or not _UNSEEN.isdisjoint(pairwise(words)):
        return True
    # Something must follow: "get round the rule", but not "the word gets round".
    return not _EVASION_PAIRS.isdisjoint(
        pair for pair, after in zip(pairwise(words), words[2:], strict=False) if after != BREAK
    )


def _ends(affirmation: Sentence, denied: frozenset[str]) -> bool:
    return not (_ENDINGS & frozenset(affirmation.stems)) <= denied


def excepts(sentence: Sentence) -> bool:
    """Whether it sets somebody or something apart from the rest."""
    return not _EXCEPTIONS.isdisjoint(sentence.words) or not _EXCEPTION_PAIRS.isdisjoint(pairwise(sentence.words))


def _is_idle(sentence: Sentence, place: int) -> bool:
    """Whether a negator says nothing about what follows: "or not", "not only", "no idea"."""
    after = sentence.words[place + 1] if place + 1 < len(sentence.words) else BREAK
    before = sentence.words[place - 1] if place else ""
    idle = _IDLE_AFTER.get(sentence.stems[place], frozenset())
    return after == BREAK or before in _IDLE_BEFORE or after in idle


def _scope(sentence: Sentence, negator: int) -> set[int]:
    scope: set[int] = set()
    for place in range(negator + 1, min(negator + 1 + _REACH, len(sentence.words))):
        word, root = sentence.words[place], sentence.stems[place]
        if word == BREAK or word in CLAUSE_STARTS or word in _NEGATORS:
            break
        if word in _SKIPPED:
            continue
        scope.add(place)
        if root not in _CARRIERS or sentence.words[place + 1 : place + 2] != ("to",):
            break
    return scope


def conflict(message: Sentence, mine: Denial, phrasing: Sentence, theirs: Denial) -> str | None:
    """Returns a word that one of the two denies and the other, which denies nothing, affirms; or None.

    A report is turned round only by a sentence that asks in the same way: "I cannot log in" wants what "How do I log
    in" wants. Whoever asks how not to do something, or to stop it, wants nothing that denies nothing.
    """
    if mine.says_no is theirs.says_no:
        return None
    denial, affirmation = (mine, phrasing) if mine.says_no else (theirs, message)
    if denial.does_without and not _NEEDS.isdisjoint(affirmation.stems):
        return None
    denied = denial.wilful | denial.reported if mine.asks == theirs.asks else denial.wilful
    if not _WISHES.isdisjoint(denied):
        if not denied.isdisjoint(_WISHES) and _ends(affirmation, denied):
            return None
        denied |= _WISHES | _REQUESTS
    shared = denied.intersection(affirmation.stems)
    if shared:
        return min(shared)
    return min(denial.wilful, default=None) if denial.is_firm else None
