"""Tells hosts that are written without a scheme from file names, abbreviations and sentences without a blank between.

What follows the last full stop must be a top-level domain that is in use. Some of those end file names too, and some
are words: they count only with a path, a port, `www.` or a name and `@` around.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rails.matching import compile_linear
from rails.wordlists import word_set

_BARE = compile_linear(
    r"(?:[^\s<>\"'()\[\]{},;:!?/\\@]*@)?"
    r"((?:[\pL\pN](?:[\pL\pN_-]{0,61}[\pL\pN])?[.\x{3002}\x{ff0e}\x{ff61}])+(?:xn--[a-z0-9-]{2,59}|[\pL]{2,24}))"
)
# What every host of the pattern above has at its end, at a thirtieth of its cost.
_ENDING = compile_linear(r"[.\x{3002}\x{ff0e}\x{ff61}](?:\pL\pL|xn--)")
_STOPS = str.maketrans(dict.fromkeys("\u3002\uff0e\uff61", "."))
_BLANKS = str.maketrans(dict.fromkeys("\t\n\f\r", " "))
"""Of the blanks of RE2, which knows those of ASCII only."""
_BEHIND_CHARS = 8
_BEHIND = compile_linear(r"\A(?::[0-9]{2,5}\b|[/?#\\])")
_PORT = compile_linear(r"\A:[0-9]{2,5}\b")
# Countries' domains (ISO 3166) and the general ones that are met in links.
_COUNTRIES = word_set(
    "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca "
    "cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo "
    "fr ga gd ge gf gg gh gi gl gm gn gp gq gr gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm "
    "jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp "
    "mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw "
    "py qa re ro rs ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl "
    "tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw"
)
_GENERAL = word_set(
    "com net org edu gov mil int info biz name pro aero coop museum jobs mobi travel tel asia cat post xxx arpa "
    "app dev page web site website online store shop cloud host hosting tech digital systems solutions services "
    "agency company business center email social network media news blog wiki press xyz top club vip icu cyou cfd "
    "sbs bond buzz click link download stream live video games game bet casino poker win loan loans finance bank "
    "money credit capital cash crypto exchange trade market markets fund investments academy school university "
    "education health care clinic doctor law legal consulting studio design art photo photos gallery graphics "
    "support help desk tools guru expert world global international london berlin paris tokyo nyc eu moscow "
    "africa amsterdam hamburg koeln wien space fun rest bar cafe restaurant pizza beer wine hotel house homes "
    "estate realty rent auto car cars bike fashion shoes jewelry beauty fit fitness dating sexy porn sex adult "
    "lol ninja rocks cool best monster quest pics pictures work works run codes software computer science "
    "engineering energy solar green bio eco earth farm garden dog pet plus one group team foundation charity "
    "church google amazon apple microsoft onion zone tips party cheap sale deals discount express delivery supply "
    "parts equipment industries enterprises ventures partners management marketing directory faith review reviews "
    "report date racing webcam men gdn kim country ooo lat mom ink wtf fyi gift gifts surf moe example invalid "
    "internal intranet corp lan"
)
_OTHER_SCRIPTS = word_set(
    "рф укр срб бел бг мкд қаз мон онлайн сайт дети орг "  # noqa: RUF001 - in Cyrillic letters
    "中国 中國 香港 台湾 台灣 新加坡 公司 网络 网址 在线 集团 商城 中信 한국 "
    "닷컴 भारत مصر السعودية امارات الاردن قطر تونس ایران شبكة موقع ไทย ελ ευ みんな コム"
)
# Top-level domains that end the names of files and programs as well.
_FILES = word_set("md py sh rs zip mov ps so cat app run name net page pages web ink tf ms la st vi bar do")
_PLAIN_FILES = _FILES - word_set("app net run page web cat bar name ink")
_PRODUCTS = word_set("asp.net vb.net ado.net ml.net java.io java.net")
# Words that begin a sentence, glued to the one before, and are top-level domains.
_WORDS = word_set(
    "is in it no so at my be me to us as am de es la le il al el en do an if on or by we he he's ma sa se si ne "
    "et das help one work plus best date post link call live run page name care report review support contact "
    "sale team group news media fit bar win host store shop market bank cash credit money law legal health house "
    "car auto cars school science software computer space earth energy design art photo video game games express "
    "direct delivery"
)


@dataclass(frozen=True, slots=True)
class Written:
    """What stands in a text like a host without a scheme."""

    name: str
    """In the letters of the text, with plain full stops."""
    has_user: bool
    """Whether something and `@` stand before it."""
    behind: str
    """The characters that follow it."""


def written_in(text: str) -> list[Written]:
    """Returns what `hosts_in` and `file_names_in` judge."""
    if not _ENDING.occurs_in(text):
        return []
    # No match has a blank in it, and to look at the words with such an end takes a tenth of what a whole answer does.
    found, start = [], 0
    for word in text.translate(_BLANKS).split(" "):
        if ("." in word or not word.isascii()) and _ENDING.occurs_in(word):
            found += [
                Written(
                    hit.group(1).translate(_STOPS),
                    hit.start() < hit.start(1),
                    text[start + hit.end() : start + hit.end() + _BEHIND_CHARS],
                )
                for hit in _BARE.finditer(word)
            ]
        start += len(word) + 1
    return found


def hosts_in(written: Iterable[Written]) -> Iterator[str]:
    """Yields, in lower case, the hosts among what is `written_in` a text: those that it names without a scheme."""
    for one in written:
        host = one.name.casefold()
        if one.has_user or host.startswith("www.") or _PORT.occurs_in(one.behind):
            yield host
        elif (end := _end_of_host(one.name, has_path=_BEHIND.occurs_in(one.behind))) is not None:
            yield ".".join(host.split(".")[:end])


def file_names_in(written: Iterable[Written]) -> Iterator[str]:
    """Yields, in lower case, what `hosts_in` takes for names of files though a host may be called so: `evil.sh`."""
    for one in written:
        name = one.name.casefold()
        if name.rpartition(".")[2] in _PLAIN_FILES:
            yield name


def _end_of_host(written: str, *, has_path: bool) -> int | None:
    """Returns how many of the labels are a host: all of them, or those before a sentence glued to it; else None."""
    labels = written.split(".")
    folded = [label.casefold() for label in labels]
    if _is_domain(folded[-1]) and (has_path or not _is_word(labels, folded)):
        return len(labels)
    for place in range(1, len(labels) - 1):
        is_glued = labels[place].islower() and labels[place + 1][:1].isupper()
        if is_glued and _is_domain(folded[place]) and not _is_word(labels[: place + 1], folded[: place + 1]):
            return place + 1
    return None


def _is_domain(ending: str) -> bool:
    return (
        ending in _COUNTRIES
        or ending in _GENERAL
        or ending in _FILES
        or ending in _OTHER_SCRIPTS
        or ending.startswith("xn--")
    )


def _is_word(labels: list[str], folded: list[str]) -> bool:
    """Whether it is rather a file name, a product, an abbreviation, or two sentences without a blank between."""
    ending = labels[-1]
    if folded[-1] in _PLAIN_FILES or ".".join(folded) in _PRODUCTS:
        return True
    if all(len(label) == 1 for label in labels[:-1]) and len(labels) > len(("e", "g")):
        return True
    return folded[-1] in _WORDS and ending[:1].isupper() and not ending.isupper()
