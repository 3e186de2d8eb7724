"""A sentence as words: contractions written out, light stems, and where a clause ends."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from store.wordlists import word_set

BREAK = ","
"""Stands for any mark that ends a clause."""
BLANK = "{}"
"""Stands for a slot."""
_SHORT = 3
"""Letters of a word that has no ending to lose: "us", "bed", "ing"."""
_LONG = 5
_MAX_WORDS = 96
"""What a phrasing could resemble is said by then; it bounds the cost of a pasted text."""

_TOKEN = re.compile(
    r"\{\w+\}|(?:\d{4}-\d\d-\d\d)|[^\W\d_]+-?\d[\w-]*"
    r"|\d{1,3}(?:[ '\u00a0\u2009\u202f]\d{3})+(?:[.,]\d+)?(?![\w:]|[.,]\d)"
    r"|\d+(?:[.,:]\d+)*(?:st|nd|rd|th)?(?![^\W\d_]*\d)"
    r"|[^\W\d_]+(?:['\u2019][^\W\d_]+)?|[%\u20ac$\u00a3]|[.?!,;:()]"
)
_CONTRACTED = {
    "cannot": ("can", "not"), "cant": ("can", "not"), "can't": ("can", "not"), "won't": ("will", "not"),
    "wont": ("will", "not"), "shan't": ("shall", "not"), "ain't": ("is", "not"), "dont": ("do", "not"),
    "doesnt": ("does", "not"), "didnt": ("did", "not"), "isnt": ("is", "not"), "arent": ("are", "not"),
    "wasnt": ("was", "not"), "havent": ("have", "not"), "hasnt": ("has", "not"), "shouldnt": ("should", "not"),
    "wouldnt": ("would", "not"), "couldnt": ("could", "not"), "mustnt": ("must", "not"), "unable": ("not", "able"),
    "im": ("i", "am"), "ive": ("i", "have"), "login": ("log", "in"), "logon": ("log", "on"), "logout": ("log", "out"),
    "logoff": ("log", "off"), "signin": ("sign", "in"), "signout": ("sign", "out"), "signup": ("sign", "up"),
    "checkin": ("check", "in"), "checkout": ("check", "out"), "wanna": ("want", "to"), "gonna": ("going", "to"),
    "u": ("you",), "n": ("and",),
}  # fmt: skip
_ENDINGS = {"'m": "am", "'re": "are", "'ve": "have", "'ll": "will", "'d": "would"}
_IRREGULAR_PAIRS = (
    "sent:send bought:buy sold:sell lent:lend gave:give given:give took:take taken:take got:get gotten:get "
    "lost:lose forgot:forget forgotten:forget found:find began:begin begun:begin went:go gone:go came:come "
    "paid:pay kept:keep  said:say told:tell made:make shut:shut stolen:steal stole:steal broke:break "
    "broken:break withdrew:withdraw withdrawn:withdraw rose:rise risen:rise fell:fall fallen:fall drew:draw "
    "knew:know known:know spent:spend brought:bring thought:think met:meet ran:run wrote:write written:write "
    "chose:choose chosen:choose forbidden:forbid forbade:forbid hid:hide hidden:hide lay:lie people:person "
    "women:woman men:man children:child wives:wife was:be were:be is:be are:be am:be been:be being:be "
    "has:have had:have having:have does:do did:do done:do doing:do using:us used:us uses:us this:this his:his "
    "its:its yes:yes always:always during:during morning:morning evening:evening nothing:nothing "
    "something:something anything:anything everything:everything news:news ring:ring bring:bring thing:thing "
    "need:need speed:speed feed:feed exceed:exceed indeed:indeed bus:bus series:series address:address "
    "business:business access:access process:process less:less unless:unless plus:plus lens:lens "
    "leaving:leav leaves:leave string:string king:king wing:wing red:red bed:bed hundred:hundred "
    "hired:hire fired:fire tired:tired required:requir shared:share wired:wire"
)
_IRREGULAR = {form: base for form, _, base in (pair.partition(":") for pair in word_set(_IRREGULAR_PAIRS))}
_PLAIN_WORDS = (
    "a an the this that these those i me my mine myself we us our ours you your yours he she it its they them their "
    "his her be do have can could may might must will would shall should to of in on at for from with by about as and "
    "or but so if not no how what where when who which why whom whose there here please just some any all also too "
    "very then than into out up off over am is are was were been has had does did get got want need like help tell "
    "let know hi hello thanks thank hey yes even still now am again one ones"
)
PLAIN = word_set(_PLAIN_WORDS)
"""Words that many sentences share whatever they are about."""
CLAUSE_STARTS = word_set("how what where when who which why whom whose if whether because but and or so while")

_PAST = word_set("paid unpaid sent given taken sold lent bought told made shown written chosen kept shut lost hidden")


@dataclass(frozen=True, slots=True)
class Sentence:
    """The words of a sentence, in spellings of the same length."""

    words: tuple[str, ...]
    """In lower case, contractions written out, `BREAK` for a mark and `BLANK` for a slot."""
    stems: tuple[str, ...]
    contents: tuple[int, ...]
    """Places of the words that say what it is about."""
    forms: frozenset[tuple[str, str]]
    """Those words as stem and form."""


class _Word(NamedTuple):
    word: str
    stem: str
    form: str
    is_content: bool


_MARKS = frozenset(".?!,;:()")
_MARK = (_Word(BREAK, BREAK, "", is_content=False),)
_SLOT = (_Word(BLANK, BLANK, "", is_content=False),)


def read_words(text: str) -> Sentence:
    """Returns `text` as words. English grammar; in other languages the words stand as they are."""
    found: list[_Word] = []
    for token in _TOKEN.findall(text.replace("\u2019", "'").lower()):
        found += _read_token(token)
        if len(found) >= _MAX_WORDS:
            break
    contents = tuple([place for place, word in enumerate(found) if word.is_content])
    return Sentence(
        tuple([word.word for word in found]),
        tuple([word.stem for word in found]),
        contents,
        frozenset([(found[place].stem, found[place].form) for place in contents]),
    )


@lru_cache(maxsize=16384)
def _read_token(token: str) -> tuple[_Word, ...]:
    if token[0] == "{":
        return _SLOT
    if token in _MARKS:
        return _MARK
    return tuple(
        _Word(word, stem(word), form_of(word), word not in PLAIN and len(word) > 1 and word != "'s")
        for word in _spell_out(token)
    )


def form_of(word: str) -> str:
    """Returns "ed" for a state or something past: "locked" is no order to lock."""
    return "ed" if word.endswith("ed") or word in _PAST else ""


def _spell_out(token: str) -> tuple[str, ...]:
    if token in _CONTRACTED:
        return _CONTRACTED[token]
    if "'" not in token or token[0].isdigit():
        return (token,)
    if token.endswith("n't"):
        return (token[:-3], "not")
    head, mark, ending = token.partition("'")
    if mark + ending in _ENDINGS:
        return (head, _ENDINGS[mark + ending])
    return (head, "'s") if ending == "s" else (head,)


def stem(word: str) -> str:
    """Returns what the common endings of English leave of a word: `changes`, `changed` and `changing` agree."""
    base = _IRREGULAR.get(word) or _strip_ending(word)
    base = base.removesuffix("e") if len(base) > _SHORT else base
    return base[:-1] + "i" if base.endswith("y") else base


def _strip_ending(word: str) -> str:
    if len(word) <= _SHORT:
        return word
    if word.endswith("ies"):
        word = word[:-3] + "y"
    elif word.endswith(("sses", "ches", "shes", "xes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) >= _SHORT:
            is_doubled = rest[-1] == rest[-2] and rest[-1] not in "aeisz"
            # "cancelled" and "planned", but not "called"
            return rest[:-1] if is_doubled and (rest[-1] != "l" or len(rest) > _LONG) else rest
    return word
