"""What the look of a word says about its language: letters and endings that English hardly has."""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from rails.wordlists import word_set

_SHAPES: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "fi": re.compile(
            r"\w*(?:aa|uu|ii|yy|ää|öö|yö|äy|äi)\w*|\w{2,}(?:ss[aä]|stä|llä|ksi|[aä]ni|eni|kko|kkö|lle|mme|inen)"
        ),
        "tr": re.compile(r"\w*[ğış]\w*|\w{2,}(?:[iuü]yor\w*|[ae]bilir\w*|m[ae]k|l[ae]r[ıi]|siniz)"),  # noqa: RUF001 - the dotless i is a Turkish letter
        "vi": re.compile(r"\w*[ơưạảấầẩẫậắằẳẵặẹẻếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]\w*"),
    }
)
"""By language: what a word in lower case looks like. One alone may be a name or a loan; two are a vote."""
_ENGLISH = word_set(
    "aardvark aaron afghani bazaar belle braille chenille continuum gazelle gramme grille hawaii isaac kebaab kraal "
    "mademoiselle maharani naan programme quadrille salaam skiing taxiing tonne vacuum vacuums vaudeville wii"
)
"""English words that look like one of these."""
_LOANS = word_set(
    "africa agenda algebra alibi alpha also alumni america ammo antenna apnea area arena aroma asana asia asthma "
    "aura australia auto avocado bacteria banana banjo barista beta bikini bio bonsai bravo broccoli buffalo bureau "
    "burrito cacti cafeteria camera canada canva cappuccino carbo cargo casino cello chai chakra china cinema cobra "
    "comma condo corona cpu criteria crypto data delta demo dilemma diploma disco diva dogma dojo drama duo echo "
    "ego emoji encyclopedia enigma era euro europa expo extra fauna fiesta figma flamingo flora formula fuchsia "
    "fungi gala gamma gelato gorilla gpu guru gymnasia halo hernia hero hydro hyena idea india inertia info "
    "insignia insomnia into intro iota jira judo jumbo kafka kanji kilo kimono koala lambda lasagna lava lingo "
    "llama logo lotto macro mafia magnolia malaria manga mango mania mantra martini maxi media mega memo menu meta "
    "metro micro militia mini mocha momento mono mosquito motto nano nausea nebula nirvana nova okta omega onto "
    "opera orca origami paella pagoda pajama panda panini panorama papaya paranoia pasta patio payola persona photo "
    "piano piazza piccolo pinto pizza placebo plasma plaza pneumonia polenta polo portfolio potato pro proforma "
    "promo propaganda pseudo quota radio ratio ravioli regalia replica retro ricotta risotto rodeo rota saga salami "
    "salsa samba sauna scenario schema sepia siesta ski soda sofa solo sonata spa spaghetti stamina stigma studio "
    "suburbia supra sushi taco tango tapioca taxi tempo tiara tiramisu tobacco tofu tomato tornado tortilla toyota "
    "trio trivia tsunami tuna turbo tuxedo ui ultra umbrella utopia vanilla vendetta veranda vertigo veto via video "
    "villa viola virtuoso visa vista vodka volcano wasabi wifi wiki yoga yoyo zebra zero zoo zucchini"
)
"""English words that end like the words of a language in which most end in a vowel."""
_LONGEST = 40
_OPEN = frozenset("aiou")
_MIN_OPEN = 6
_OPEN_SHARE = 0.6


def languages_by_shape(word: str) -> tuple[str, ...]:
    """Returns the languages that a word in lower case looks like; none for what is too long for a word."""
    return _shaped(word) if len(word) <= _LONGEST and word not in _ENGLISH else ()


@lru_cache(maxsize=4096)
def _shaped(word: str) -> tuple[str, ...]:
    return tuple(language for language, shape in _SHAPES.items() if shape.fullmatch(word))


def is_open(words: list[str]) -> bool:
    """Whether most words end in a vowel that English words seldom end in: Swahili, Tagalog, Hausa and many others."""
    found = sum(word[-1] in _OPEN and len(word) > 1 and word not in _LOANS for word in words)
    return found >= _MIN_OPEN and found >= _OPEN_SHARE * len(words)
