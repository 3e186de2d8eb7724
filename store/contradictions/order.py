"""Who does what to whom, from where to where: the same words in another order are another request."""

from collections.abc import Iterator
from dataclasses import dataclass

from store.contradictions import kinds, tables
from store.contradictions.words import BLANK, BREAK, PLAIN, Sentence
from store.wordlists import word_set

_FROM = frozenset({"from", "off"})
_TO = frozenset({"to", "into", "onto", "towards"})
_RELATIONS = word_set("to from for before after than into by over under above below instead onto against")
_DETERMINERS = word_set("the a an my our your his her their its this these those 's")
_BEFORE_ACT = word_set(
    "can could may might must will would shall should do does did have has had to not also just please already always "
    "want need like never 's am is are was were been be get gets got getting being"
)
_BEFORE_PATIENT = _DETERMINERS | {"to", "by"}
_SUBJECTS = frozenset({"i", "we"})
_OBJECTS = frozenset({"me", "us", "myself"})
_BE = word_set("am is are was were be been being get gets got getting")
_PARTICIPLES = word_set(
    "paid sent given taken sold lent bought told made shown written chosen kept hit hurt bitten broken stolen "
    "driven taught caught heard seen found left held led fed met built owed read cut put set let"
)
_SOMEBODY = word_set("else someone somebody")
_HOLDERS = {"my": "mine", "our": "mine", "your": "yours"}
_HOLDER_OF = {"mine": "yours", "yours": "mine"}
_UNLINED = _DETERMINERS | {"do", "does", "did", BREAK}
_EITHER_WAY = word_set("and or nor")
"""Between them either order says the same."""
_ARTICLES = frozenset({("my",), ("a",), ("the",), ("our",), ("another",)})
_PEERS = word_set(
    "manager boss supervisor superior colleague coworker teammate contractor freelancer consultant apprentice trainee "
    "intern director student assistant friend"
)
"""Who could stand in the speaker's place; customers and visitors are what one works with."""
_SIDE_REACH = 3
_ANCHOR_REACH = 5
_ACT_REACH = 5
_THIRD = {
    form: word
    for kind in ("person", "relative")
    for words in kinds.KINDS[kind]
    for word in words
    for form in (word, f"{word}s")
}
_PERSONS = {
    **{form: word for word in tables.ROLES for form in (word, f"{word}s")},
    **_THIRD,
    **dict.fromkeys(tables.SPEAKER, "i"),
}
Triple = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Order:
    """Where the words of a sentence stand to each other."""

    origins: frozenset[tuple[str, str]]
    """What stands after "from", each with a word before it."""
    goals: frozenset[tuple[str, str]]
    """What stands after "to" and "into", each with a word before it."""
    around: frozenset[Triple]
    """What stands left of a relation, the relation, and what stands right of it."""
    agents: frozenset[tuple[str, str]]
    """Who does which act."""
    patients: frozenset[tuple[str, str]]
    """To whom which act is done."""
    owned: frozenset[tuple[str, str]]
    """Whose which thing is, where it is somebody else's."""
    holders: frozenset[tuple[str, str]]
    """What is "mine" or "yours"."""
    gainers: frozenset[str]
    """For whom it is asked, when that is somebody else."""
    persons: frozenset[str]
    line: tuple[str, ...]
    """All stems but articles and their like."""


def read_order(sentence: Sentence) -> Order:
    """Returns the order of the sentence."""
    agents, patients = _acts(sentence)
    return Order(
        frozenset(_after(sentence, _FROM)),
        frozenset(_after(sentence, _TO)),
        frozenset(_around(sentence)),
        agents,
        patients,
        frozenset(_owned(sentence)),
        frozenset(
            (stem, _HOLDERS[word])
            for word, stem, after in zip(sentence.words, sentence.stems[1:], sentence.words[1:], strict=False)
            if word in _HOLDERS and after not in PLAIN
        ),
        frozenset(_gainers(sentence)),
        frozenset(_PERSONS[word] for word in sentence.words if word in _PERSONS),
        tuple(stem for stem, word in zip(sentence.stems, sentence.words, strict=True) if word not in _UNLINED),
    )


def swapped_ends(mine: Order, theirs: Order) -> str | None:
    """Returns what is the origin in one and the goal in the other, or what stands on either side of a relation."""
    turned = ((mine.goals - mine.origins) & (theirs.origins - theirs.goals)) | (
        (mine.origins - mine.goals) & (theirs.goals - theirs.origins)
    )
    if turned:
        return min(turned)[1]
    there = theirs.around - mine.around
    swapped = (one[1] for one in mine.around - theirs.around if one[0] != one[2] and one[::-1] in there)
    return min(swapped, default=None)


def transposed(mine: Order, theirs: Order) -> str | None:
    """Returns the first of two words that have changed places while all else stands where it stood, or None."""
    here, there = mine.line, theirs.line
    if len(here) != len(there) or here == there:
        return None
    moved = [at for at in range(len(here)) if here[at] != there[at]]
    if len(moved) != len(("one", "other")) or [here[at] for at in moved] != [there[at] for at in reversed(moved)]:
        return None
    between = here[moved[0] + 1 : moved[1]]
    return here[moved[0]] if between and between != ("with",) and _EITHER_WAY.isdisjoint(between) else None


def swapped_roles(mine: Order, theirs: Order) -> str | None:
    """Returns an act that somebody does in one and suffers in the other, or None."""
    turned = ((mine.agents - mine.patients) & (theirs.patients - theirs.agents)) | (
        (mine.patients - mine.agents) & (theirs.agents - theirs.patients)
    )
    return min((act for _, act in turned), default=None)


def other_doer(mine: Order, theirs: Order) -> str | None:
    """Returns an act that one of the speaker's own kind does in one, and somebody else in the other, or None."""
    here, there = _doers(mine), _doers(theirs)
    return min((act for act in here.keys() & there.keys() if here[act].isdisjoint(there[act])), default=None)


def _doers(one: Order) -> dict[str, set[str]]:
    doers: dict[str, set[str]] = {}
    for who, act in one.agents:
        if who == "i" or who in _PEERS:
            doers.setdefault(act, set()).add(who)
    return doers


def other_owner(mine: Order, message: Sentence, theirs: Order, phrasing: Sentence) -> str | None:
    """Returns a thing that is somebody else's in exactly one of the two, or None."""
    return (
        min((thing for thing, who in mine.holders if (thing, _HOLDER_OF[who]) in theirs.holders), default=None)
        or _other_owner(mine, theirs, phrasing)
        or _other_owner(theirs, mine, message)
        or _other_gainer(mine, theirs)
        or _other_gainer(theirs, mine)
    )


def _other_gainer(mine: Order, theirs: Order) -> str | None:
    """Returns for whom one asks where the other speaks of nobody but the speaker."""
    return min(mine.gainers) if mine.gainers and theirs.persons <= {"i"} else None


def _other_owner(mine: Order, theirs: Order, sentence: Sentence) -> str | None:
    things = (
        thing for owner, thing in mine.owned - theirs.owned if thing in sentence.stems and owner not in theirs.persons
    )
    return min(things, default=None)


def _after(sentence: Sentence, prepositions: frozenset[str]) -> Iterator[tuple[str, str]]:
    words = sentence.words
    for place, word in enumerate(words):
        if word not in prepositions:
            continue
        anchors = [sentence.stems[at] for at in sentence.contents if place - _ANCHOR_REACH <= at < place]
        taken = 0
        for at in range(place + 1, min(place + 5, len(words))):
            if words[at] in _DETERMINERS and not taken:
                continue
            if (words[at] in PLAIN and words[at] not in tables.SPEAKER) or words[at] == BREAK or words[at][0].isdigit():
                break
            taken += 1
            for anchor in anchors:
                yield anchor, "i" if words[at] in tables.SPEAKER else sentence.stems[at]


def _around(sentence: Sentence) -> Iterator[Triple]:
    for place, word in enumerate(sentence.words):
        if word in _RELATIONS:
            right = next(_beside(sentence, place, 1), None)
            if right is not None:
                yield from ((left, word, right) for left in _beside(sentence, place, -1))


def _beside(sentence: Sentence, place: int, step: int) -> Iterator[str]:
    for at in range(place + step, place + step * (_SIDE_REACH + 1), step):
        if not 0 <= at < len(sentence.words) or sentence.words[at] in (BREAK, BLANK):
            return
        if sentence.words[at] in tables.SPEAKER:
            yield "i"
        elif sentence.words[at] not in PLAIN and sentence.words[at] != "'s":
            yield sentence.stems[at]


def _acts(sentence: Sentence) -> tuple[frozenset[tuple[str, str]], frozenset[tuple[str, str]]]:
    agents: set[tuple[str, str]] = set()
    patients: set[tuple[str, str]] = set()
    words = sentence.words
    for place, word in enumerate(words):
        person = _PERSONS.get(word)
        if person is None:
            continue
        owns = words[place + 1 : place + 2] == ("'s",)
        if (
            word not in _OBJECTS
            and not owns
            and (act := _act(sentence, range(place + 1, len(words)), _BEFORE_ACT)) is not None
        ):
            (patients if _is_passive(sentence, act) else agents).add((person, sentence.stems[act]))
        if word not in _SUBJECTS and (act := _act(sentence, range(place - 1, -1, -1), _BEFORE_PATIENT)) is not None:
            is_agent = "by" in words[act:place] and _is_passive(sentence, act)
            (agents if is_agent else patients).add((person, sentence.stems[act]))
    return frozenset(agents), frozenset(patients)


def _act(sentence: Sentence, places: range, skipped: frozenset[str]) -> int | None:
    """Returns the place of the first word on the way that may be an act; whatever is not skipped ends the way."""
    for at in places[:_ACT_REACH]:
        word = sentence.words[at]
        if word not in skipped:
            return None if word in PLAIN or word in _PERSONS or word in (BREAK, BLANK) else at
    return None


def _is_passive(sentence: Sentence, verb: int) -> bool:
    word = sentence.words[verb]
    looks = word.endswith("ed") or word in _PARTICIPLES
    return looks and not _BE.isdisjoint(sentence.words[max(verb - 3, 0) : verb])


def _owned(sentence: Sentence) -> Iterator[tuple[str, str]]:
    words = sentence.words
    for place in range(len(words) - 1):
        if words[place + 1] == "'s" and (words[place] in _THIRD or words[place] in _SOMEBODY):
            thing = next(_beside(sentence, place + 1, 1), None)
            if thing:
                yield _THIRD.get(words[place], words[place]), thing
        elif words[place] in ("his", "her", "their") and words[place + 1] not in PLAIN:
            if words[place] == "their" and any(words[at].endswith("s") for at in sentence.contents if at < place):
                continue  # "can employees change their address" may mean oneself
            yield words[place], sentence.stems[place + 1]


def _gainers(sentence: Sentence) -> Iterator[str]:
    words = sentence.words
    for place, word in enumerate(words):
        if word == "for":
            at = place + 2 if words[place + 1 : place + 2] in _ARTICLES else place + 1
            end = at + 2 if words[at + 1 : at + 2] == ("else",) else at + 1
            person = " ".join(words[at:end])
            # "for a colleague", but not "for my colleague's visit" and not "for a student card"
            is_last = end >= len(words) or words[end] == BREAK or words[end] in PLAIN
            if is_last and (end == at + 2 or _THIRD.get(person) in _PEERS):
                yield person
