"""Which messages are in none of the languages that are served: those of an assistant, or those an embedder reads.

Two tests: the share of letters in other scripts, and for Latin script a vote of small words, and of letters and endings
that English hardly has, which speaks only when it is clear. What is short or mixed passes: the matcher decides.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from functools import cache

from rails.scripts import script_of
from rails.stop_words import KNOWN, LANGUAGES_OF, TYPED_IN_LATIN, is_strong, vote_name
from rails.word_shapes import is_open, languages_by_shape
from rails.wordlists import word_set

_LATIN = frozenset({"LATIN"})
_SCRIPTS: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        word_set(
            "en de fr es pt nl pl it sv da nb nn no fi is cs sk hu ro hr sl sq bs et lv lt ga cy ca eu gl tr vi id ms "
            "sw af az tl"
        ),
        _LATIN,
    ),
    **dict.fromkeys(["ru", "uk", "be", "bg", "mk", "kk", "mn"], frozenset({"CYRILLIC"})),
    "sr": frozenset({"CYRILLIC", "LATIN"}),
    **dict.fromkeys(["ar", "fa", "ur"], frozenset({"ARABIC"})),
    **dict.fromkeys(["hi", "mr", "ne"], frozenset({"DEVANAGARI"})),
    "zh": frozenset({"CJK", "BOPOMOFO"}),
    "ja": frozenset({"CJK", "HIRAGANA", "KATAKANA"}),
    "ko": frozenset({"HANGUL", "CJK"}),
    "el": frozenset({"GREEK"}),
    "he": frozenset({"HEBREW"}),
    "th": frozenset({"THAI"}),
    "hy": frozenset({"ARMENIAN"}),
    "ka": frozenset({"GEORGIAN"}),
    "bn": frozenset({"BENGALI"}),
    "ta": frozenset({"TAMIL"}),
    "te": frozenset({"TELUGU"}),
}
_OWN_LETTERS = {"fa": "\u067e\u0686\u0698\u06af", "ur": "\u0679\u0688\u0691\u06ba\u06d2", "uk": "\u0457\u0454\u0491"}
"""Letters of a language that its script's other languages lack."""
_MARKS = {
    "de": frozenset("äöüß"),
    "fr": frozenset("àâçèêëîïôûùœ"),
    "es": frozenset("ñáíóú"),
    "pt": frozenset("ãõçâê"),
    "pl": frozenset("ąćęłńśźż"),
    "tr": frozenset("ğışç"),
    "sv": frozenset("åäö"),
    "da": frozenset("æøå"),
}
"""Letters that speak for a language where others of the same script are possible too."""
_MIN_OWN_LETTERS = 2
_DENSE = frozenset({"CJK", "BOPOMOFO", "HIRAGANA", "KATAKANA", "HANGUL", "YI"})
_DENSE_WEIGHT = 3
"""A Chinese, Japanese or Korean letter says about as much as three others."""
_MIN_FOREIGN = 3
MAX_FOREIGN_SHARE = 0.3
"""Names and quotations stay below this share of a message in a served language."""
_MAX_LATIN_SHARE = 0.7
"""Names of products and firms are in Latin letters in every language."""
_MIN_WORDS = 3
_MIN_VOTES = 2
_VOTES_RATIO = 3
_ENGLISH = frozenset({"en"})
_WORD = re.compile(r"[^\W\d_]+(?:(?:['\u2019-]|[2357])[^\W\d_]+)*")
"""With the digits that stand for letters where Arabic is typed on a Latin keyboard."""


def unserved(message: str, served: Collection[str], max_foreign_share: float = MAX_FOREIGN_SHARE) -> str | None:
    """Returns what `message` is written in when that is none of `served` (ISO 639-1 codes, also with a region).

    A script in lower case ("arabic"), a language ("de") or "unknown"; None for a message in a served language or too
    short to say. Raises `ValueError` for a served language that is not known here, or for none at all.
    """
    languages = frozenset(tag.partition("-")[0].casefold() for tag in served)
    if not languages or not languages <= _SCRIPTS.keys():
        raise ValueError(f"no script is known for {sorted(languages - _SCRIPTS.keys()) or 'no language'}")
    return (
        _foreign_script(message, languages, max_foreign_share)
        or _by_letters(message, languages)
        or _by_vote(message, languages)
    )


def unknown_languages(served: Sequence[str]) -> tuple[str, ...]:
    """Returns the tags of which nothing is known here, so that no message could be judged."""
    return tuple(tag for tag in served if _base(tag) not in _SCRIPTS)


def spoken(message: str, served: Sequence[str]) -> str:
    """Returns which of the served languages (tags, the first one serves everybody else) a message is written in.

    By its letters, then by a vote of its words; the first of those that are left where neither tells.
    """
    if len(served) == 1:
        return served[0]
    possible = [tag for tag in served if _base(tag) in _SCRIPTS and unserved(message, (tag,)) is None]
    words = [word.casefold() for word in _latin_words(message)]
    votes = {tag: _votes(words, _base(tag)) for tag in _with_main_script(message, possible)}
    return max(votes, key=lambda tag: votes[tag]) if votes else served[0]


def _base(tag: str) -> str:
    return tag.partition("-")[0].casefold()


def _with_main_script(message: str, tags: Sequence[str]) -> list[str]:
    """Returns those of the tags whose language has most of the letters: a Latin name is no Latin message."""
    scripts = Counter(script for char in message if char.isalpha() and (script := script_of(char)))
    shares = {tag: sum(scripts[script] for script in _SCRIPTS[_base(tag)]) for tag in tags}
    own = {tag: sum(map(message.count, _OWN_LETTERS.get(_base(tag), ""))) >= _MIN_OWN_LETTERS for tag in tags}
    best = max(shares.values(), default=0)
    likely = [tag for tag in tags if shares[tag] == best]
    return [tag for tag in likely if own[tag]] or likely


def _votes(words: Sequence[str], language: str) -> int:
    name, marks = vote_name(language), _MARKS.get(language, frozenset())
    return sum(
        name in LANGUAGES_OF.get(word, ()) or name in languages_by_shape(word) or not marks.isdisjoint(word)
        for word in words
    )


def unread_by(served: Collection[str] | None) -> Callable[[str], bool]:
    """Returns what says whether a message is in none of the languages; where nobody knows them (None), none is.

    Raises `ValueError` as `unserved` does.
    """
    if served is None:
        return lambda _: False
    unserved("", served)
    return lambda message: unserved(message, served) is not None


def _foreign_script(message: str, served: frozenset[str], max_share: float) -> str | None:
    scripts = frozenset[str]().union(*(_SCRIPTS[language] for language in served))
    if message.isascii() and "LATIN" in scripts:
        return None
    weights: Counter[str] = Counter()
    for char in message:
        if char.isalpha() and (script := "LATIN" if char.isascii() else script_of(char)):
            weights[script] += _DENSE_WEIGHT if script in _DENSE else 1
    foreign = {script: weight for script, weight in weights.items() if script not in scripts}
    latin = foreign.pop("LATIN", 0)
    total, strange = weights.total(), sum(foreign.values())
    if strange >= _MIN_FOREIGN and (strange > max_share * total or _has_names_only(message, served)):
        return max(foreign, key=lambda script: foreign[script]).casefold()
    return "latin" if latin >= _MIN_FOREIGN and latin > max(_MAX_LATIN_SHARE, max_share) * total else None


def _has_names_only(message: str, served: frozenset[str]) -> bool:
    """Whether the Latin words beside foreign letters are no sentence but names, as in a question in Arabic."""
    ours = _voters(served)
    return bool(ours) and not any(
        ours.intersection(LANGUAGES_OF.get(word.casefold(), ())) for word in _latin_words(message)
    )


def _is_latin(char: str) -> bool:
    return char.isascii() or script_of(char) == "LATIN"


def _by_letters(message: str, served: frozenset[str]) -> str | None:
    if message.isascii():
        return None
    for language, letters in _OWN_LETTERS.items():
        if language not in served and sum(message.count(letter) for letter in letters) >= _MIN_OWN_LETTERS:
            return language
    return None


def _by_vote(message: str, served: frozenset[str]) -> str | None:
    """Names an unserved language in Latin script by its words, when the vote is clear."""
    ours, written = _voters(served), _latin_words(message)
    words = [word.casefold() for word in written]
    if len(words) < _MIN_WORDS or not ours:
        return None
    # Where every other word would have to be one of another language's, none can win: most messages end here.
    if _VOTES_RATIO * max(sum(map(_small_words(language).__contains__, words)) for language in ours) > len(words):
        return None
    votes: Counter[str] = Counter()
    strong: Counter[str] = Counter()
    for word in written:
        lower = word.casefold()
        # A capital may begin a name: it looks like its own language and not like that of the message.
        shaped = languages_by_shape(word) if word == lower else ()
        for language in {*LANGUAGES_OF.get(lower, ()), *shaped}:
            votes[language] += 1
            strong[language] += language in shaped or is_strong(lower, language)
    home = max(votes[language] for language in ours)
    others = sorted(language for language in strong if language not in ours)  # a tie goes by the name, in every process
    away = max(others, key=lambda one: (votes[one], strong[one]), default=None)
    is_clear = away is not None and votes[away] >= max(_MIN_VOTES, _VOTES_RATIO * home)
    # One small word is enough beside letters that a served language without a word in the message would not explain.
    is_marked = away is not None and home == 0 and not "".join(words).isascii()
    if away is not None and strong[away] > 0 and (is_clear or is_marked):
        return away
    # What is said of the ends of words is true of English alone.
    return "unknown" if ours == _ENGLISH and home == 0 and is_open(words) else None


def _voters(served: frozenset[str]) -> frozenset[str]:
    """Returns the lists that speak for the served languages in Latin script; none where one has no list."""
    latin = frozenset(language for language in served if "LATIN" in _SCRIPTS[language])
    return frozenset(map(vote_name, latin | (served & TYPED_IN_LATIN))) if latin and latin <= KNOWN else frozenset()


def _latin_words(message: str) -> list[str]:
    words: list[str] = _WORD.findall(message.replace("\u2019", "'"))
    return words if message.isascii() else [word for word in words if _is_latin(word[0])]


@cache
def _small_words(language: str) -> frozenset[str]:
    return frozenset(word for word, languages in LANGUAGES_OF.items() if language in languages)
