"""Blocks messages in a language that the assistant does not serve.

Two tests: the share of letters outside the scripts of the served languages, and for Latin script a small vote of
stop words that speaks only when it is clear. Short or mixed messages pass: the matcher decides about them.
"""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from rails.definition import Probe, Probes, RailDefinition, RailParams
from rails.nemo import RailOutcome, request_context, verdict
from rails.scripts import script_of
from rails.types import RailContext, Stage
from rails.wordlists import word_list, word_set

_LATIN = frozenset({"LATIN"})
_SCRIPTS: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        word_list(
            "en de fr es pt nl pl it sv da nb nn no fi is cs sk hu ro hr sl sq bs et lv lt ga cy ca eu gl tr vi id ms "
            "sw"
        ),
        _LATIN,
    ),
    **dict.fromkeys(["ru", "uk", "be", "bg", "mk"], frozenset({"CYRILLIC"})),
    "sr": frozenset({"CYRILLIC", "LATIN"}),
    **dict.fromkeys(["ar", "fa", "ur"], frozenset({"ARABIC"})),
    **dict.fromkeys(["hi", "mr", "ne"], frozenset({"DEVANAGARI"})),
    "zh": frozenset({"CJK", "BOPOMOFO"}),
    "ja": frozenset({"CJK", "HIRAGANA", "KATAKANA"}),
    "ko": frozenset({"HANGUL", "CJK"}),
    "el": frozenset({"GREEK"}),
    "he": frozenset({"HEBREW"}),
    "th": frozenset({"THAI"}),
}
# Every language's users write names, products and addresses in Latin letters; the share below bounds them.
_MIN_FOREIGN_LETTERS = 3
_VOTES = 3
_VOTES_RATIO = 3

_STOP_WORDS: dict[str, frozenset[str]] = {
    "en": word_set(
        "the a an and or is are was were be been do does did have has had i you he she it we they my your our "
        "their this that these those what which who how when where why can could will would should not no yes to "
        "of in on at for with from by about as if but so me please there any"
    ),
    "de": word_set(
        "der die das den dem des ein eine einen einem einer und oder ist sind war waren bin habe hat haben ich du "
        "er sie wir ihr mein meine meinen meinem nicht kein keine was wer wie wann wo warum kann können muss will "
        "wird zu zum zur von im am auf für mit aus bei nach über um als wenn aber mir mich sich bitte gibt"
    ),
    "fr": word_set(
        "le la les un une des du de et ou est sont était être ai as avez ont j je tu il elle nous vous ils elles "
        "mon ma mes votre notre ce cette ces que qui quoi comment quand où pourquoi peut puis pas ne non oui à au "
        "aux dans sur pour avec par si mais me se y l d c n s"
    ),
    "es": word_set(
        "el la los las un una unos unas y o es son era ser estar está están he ha tengo tiene yo tú él ella "
        "nosotros mi mis su sus este esta estos qué que quién cómo como cuándo cuando dónde donde por para puedo "
        "puede no sí a al de del en con si pero me se lo le más"
    ),
    "pt": word_set(
        "o a os as um uma uns umas e ou é são era ser estar está estão tenho tem eu tu ele ela nós meu minha meus "
        "seu sua este esta isso que quem como quando onde por para posso pode não sim ao à de do da dos das em no "
        "na nos nas com se mas me lhe mais"
    ),
    "nl": word_set(
        "de het een en of is zijn was waren ben heb heeft hebben ik jij je hij zij ze wij we jullie mijn jouw uw "
        "ons dit dat deze die wat wie hoe wanneer waar waarom kan kunnen moet wil wordt niet geen ja nee te van "
        "in op aan voor met uit bij naar over als maar mij me er"
    ),
    "pl": word_set(
        "i lub jest są był była być mam ma mają ja ty on ona my wy oni mój moja moje moją twój się co kto jak "
        "kiedy gdzie dlaczego czy mogę może nie tak do z ze w we na po przy dla od za o ale jeśli mi mnie to ten "
        "ta te tego już jego jej"
    ),
    "it": word_set(
        "il lo la i gli le un una uno e o è sono era essere ho hai ha abbiamo hanno io tu lui lei noi voi mio mia "
        "miei suo sua questo questa questi che chi come quando dove perché posso può non sì a al alla di del "
        "della in nel nella con per da su se ma mi si più"
    ),
}


class LanguageParams(RailParams, frozen=True, kw_only=True, tag="language"):
    """How much of a message may be in a script that no served language uses."""

    max_foreign_share: Annotated[float, Meta(ge=0.0, lt=1.0)] = 0.3


def find(text: str, languages: Sequence[str], params: LanguageParams) -> str | None:
    """Returns the reason to block `text` where `languages` are served, or None.

    Raises `KeyError` for a served language whose script is not known here.
    """
    served = [tag.split("-", maxsplit=1)[0].casefold() for tag in languages]
    scripts = frozenset[str]().union(*(_SCRIPTS[language] for language in served))
    letters = ["LATIN" if char.isascii() else script_of(char) for char in text if char.isalpha()]
    foreign = sum(1 for script in letters if script is not None and script not in scripts)
    if foreign >= _MIN_FOREIGN_LETTERS and foreign > params.max_foreign_share * len(letters):
        return "language.unsupported"
    return "language.unsupported" if _is_voted_out(text, served) else None


def _is_voted_out(text: str, served: Sequence[str]) -> bool:
    latin = [language for language in served if "LATIN" in _SCRIPTS[language]]
    if not latin or any(language not in _STOP_WORDS for language in latin):
        return False
    words = "".join(char if char.isalpha() else " " for char in text.casefold()).split()
    votes = {language: sum(word in stops for word in words) for language, stops in _STOP_WORDS.items()}
    ours = max(votes[language] for language in latin)
    theirs = max((count for language, count in votes.items() if language not in latin), default=0)
    return theirs >= _VOTES and theirs >= _VOTES_RATIO * ours


async def check(text: str, params: LanguageParams) -> RailOutcome:
    """Returns the verdict on the language of `text`."""
    return verdict(find(text, request_context().languages, params))


def _probes(_params: LanguageParams) -> Probes:
    english, russian = RailContext(language="en", languages=("en",)), RailContext(language="ru", languages=("ru",))
    return Probes(
        must_block=(
            Probe("Как мне сбросить пароль?", english),
            Probe("Ich habe mein Passwort vergessen und kann mich nicht anmelden", english),
        ),
        must_pass=(Probe("How do I reset my password?", english), Probe("Как мне сбросить пароль?", russian)),
    )


RAIL = RailDefinition(
    name="language", stages=frozenset({Stage.INPUT}), params=LanguageParams, check=check, probes=_probes
)
