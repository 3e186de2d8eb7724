"""Numbers and months as words, in English, German, French and Spanish, and the units that numbers come with."""

from collections.abc import Mapping
from types import MappingProxyType

from rails.wordlists import word_list, word_set


def _counted(words: str, *, first: int, step: int = 1) -> dict[str, int]:
    return {word: first + step * index for index, word in enumerate(word_list(words))}


def _german() -> dict[str, int]:
    ones = _counted("ein zwei drei vier fünf sechs sieben acht neun", first=1)
    tens = _counted("zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig", first=20, step=10)
    joined = {f"{one}und{ten}": value + more for one, value in ones.items() for ten, more in tens.items()}
    teens = "zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn"
    small = {word: value for word, value in ones.items() if word != "ein"}  # mostly an article
    # Counted without capitals, in which ß is ss.
    found = {**small, **_counted(teens, first=10), **tens, **joined, "hundert": 100, "tausend": 1000}
    return {word.casefold(): value for word, value in found.items()}


_ENGLISH = (
    _counted(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen",
        first=0,
    )
    | _counted("twenty thirty forty fifty sixty seventy eighty ninety", first=20, step=10)
    | {"dozen": 12, "hundred": 100, "thousand": 1000}
)
NUMBER_WORDS: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "en": _ENGLISH,
        "de": _german(),
        "fr": _counted("deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize", first=2)
        | _counted("vingt trente quarante cinquante soixante", first=20, step=10)
        | {"cent": 100, "mille": 1000},
        "es": _counted(
            "dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete "
            "dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco",
            first=2,
        )
        | _counted("treinta cuarenta cincuenta sesenta setenta ochenta noventa", first=30, step=10)
        | {"cien": 100, "mil": 1000},
    }
)
"""By language: what a number word stands for. Other languages write numbers in digits, as far as checks can see."""
SCALES: Mapping[str, int] = MappingProxyType(
    {
        "dozen": 12,
        "hundred": 100,
        **dict.fromkeys(("thousand", "k"), 1000),
        **dict.fromkeys(("million", "millions", "millionen", "mio", "millones", "mn"), 10**6),
        **dict.fromkeys(("billion", "billions", "milliarde", "milliarden", "milliard", "milliards", "bn"), 10**9),
    }
)
"""What a word after a number multiplies it by."""
ORDINAL_WORDS: Mapping[str, int] = MappingProxyType(
    _counted(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
        "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth",
        first=1,
    )
)

ORDINAL = "ordinal"
KINDS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("%", "percent", "percentage", "prozent", "pct", "pourcent"), "%"),
        **dict.fromkeys(("€", "eur", "euro", "euros"), "€"),
        **dict.fromkeys(("$", "usd", "dollar", "dollars"), "$"),
        **dict.fromkeys(("£", "gbp", "pound", "pounds", "pfund"), "£"),
        **dict.fromkeys(("¥", "jpy", "yen"), "¥"),
        **dict.fromkeys(("₹", "inr", "rupee", "rupees"), "₹"),
        **dict.fromkeys(("chf", "franken", "francs"), "chf"),
        **dict.fromkeys(("cents", "pence"), "cent"),
        **dict.fromkeys(("am", "a.m"), "am"),
        **dict.fromkeys(("pm", "p.m"), "pm"),
        **dict.fromkeys(("st", "nd", "rd", "th"), ORDINAL),
        **dict.fromkeys(("second", "seconds", "sec", "secs", "sekunde", "sekunden", "segundos", "secondes"), "second"),
        **dict.fromkeys(("minute", "minutes", "min", "mins", "minuten", "minuto", "minutos"), "minute"),
        **dict.fromkeys(
            ("hour", "hours", "hr", "hrs", "h", "stunde", "stunden", "heure", "heures", "hora", "horas"), "hour"
        ),
        **dict.fromkeys(("day", "days", "tag", "tage", "tagen", "jour", "jours", "día", "días"), "day"),
        **dict.fromkeys(
            ("arbeitstag", "arbeitstage", "arbeitstagen", "werktag", "werktage", "werktagen"), "working day"
        ),
        **dict.fromkeys(("night", "nights", "nacht", "nächte", "nächten", "nuit", "nuits", "noche", "noches"), "night"),
        **dict.fromkeys(("week", "weeks", "woche", "wochen", "semaine", "semaines", "semana", "semanas"), "week"),
        **dict.fromkeys(("month", "months", "monat", "monate", "monaten", "mois", "mes", "meses"), "month"),
        **dict.fromkeys(("year", "years", "jahr", "jahre", "jahren", "ans", "année", "années", "año", "años"), "year"),
        **dict.fromkeys(("km", "kilometre", "kilometres", "kilometer", "kilometers"), "km"),
        **dict.fromkeys(("mile", "miles"), "mile"),
        **dict.fromkeys(("m", "metre", "metres", "meter", "meters"), "m"),
        **dict.fromkeys(("cm", "centimetre", "centimetres", "centimeter", "centimeters", "zentimeter"), "cm"),
        **dict.fromkeys(("mm", "millimetre", "millimetres", "millimeter", "millimeters"), "mm"),
        **dict.fromkeys(("inch", "inches", "zoll"), "inch"),
        **dict.fromkeys(("kg", "kilo", "kilos", "kilogram", "kilograms", "kilogramm"), "kg"),
        **dict.fromkeys(("kb", "kilobyte", "kilobytes"), "kb"),
        **dict.fromkeys(("mb", "megabyte", "megabytes"), "mb"),
        **dict.fromkeys(("gb", "gigabyte", "gigabytes"), "gb"),
        **dict.fromkeys(("tb", "terabyte", "terabytes"), "tb"),
    }
)
"""One name for each unit."""
CURRENCIES = frozenset(("€", "$", "£", "¥", "₹", "chf", "cent"))
NEVER_LEFT_OUT = frozenset(("%", *CURRENCIES, "am", "pm", ORDINAL))
"""Units without which a number says something else; an answer may leave out any other one."""
WORKING = word_set("working business ouvrés ouvrables hábiles laborables")
"""Words with which days are those of the working week."""
HALVES = word_set("half halbe halben halber halbes demi demie media medio")
"""Words for a half before a unit of time."""
ARTICLES = word_set("a an one")
TIMES = frozenset(("second", "minute", "hour", "day", "week", "month", "year"))
BETWEEN = word_set("working business calendar full per whole consecutive more further")
"""Words that may stand between a number and its unit."""
RANGE_WORDS = word_set("to or and until till through bis oder und à ou et a o y hasta")

MONTHS: Mapping[str, int] = MappingProxyType(
    _counted("january february march april may june july august september october november december", first=1)
    | _counted("jan feb mar apr may jun jul aug sep oct nov dec", first=1)
    | {"sept": 9}
    | {word.casefold(): value for word, value in {"januar": 1, "februar": 2, "märz": 3, "mai": 5, "juni": 6}.items()}
    | {"juli": 7, "oktober": 10, "dezember": 12}
    | _counted("janvier février mars avril mai juin juillet août septembre octobre novembre décembre", first=1)
    | _counted("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre", first=1)
)
UNCAPITALISED_MONTHS = word_set(
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre "
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
)
"""Months of languages that write them without capitals; elsewhere `may` and `march` are verbs too."""
WEEKDAYS = word_set(
    "monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch donnerstag freitag "
    "samstag sonntag lundi mardi mercredi jeudi vendredi samedi dimanche lunes martes miércoles jueves viernes "
    "sábado domingo"
)
COUNTED = frozenset[str]().union(
    *NUMBER_WORDS.values(),
    SCALES,
    ORDINAL_WORDS,
    KINDS,
    WORKING,
    HALVES,
    ARTICLES,
    BETWEEN,
    RANGE_WORDS,
    MONTHS,
    WEEKDAYS,
)
"""All of these words: any other word in small letters is no part of a number or date."""
