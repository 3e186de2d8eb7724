"""How people tell each other passwords and codes in a sentence: the patterns of the secrets rail beside key shapes.

A password is known by the words around it alone, so what stands in its place must not be something that one says of
passwords: `is expired`, `is case-sensitive`, `is 12 characters long`.
"""

from typing import Any

from rails.key_shapes import Shape
from rails.matching import compile_linear, escape
from rails.stop_words import LANGUAGES_OF
from rails.wordlists import word_set

_MIN_PASSWORD_CHARS, _MIN_CODE_DIGITS, _MAX_CODE_DIGITS = 4, 3, 12
_MIN_PHRASE_WORDS = 3
_POSTAL_DIGITS = 6
_SIGNS = frozenset("!#$%&*+=?@^_~|")
_QUOTES = "\"'`\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb\u300c\u300d"
_AROUND = _QUOTES + "<>()[]{}.,;:*\u3002\uff0c\u0964\u060c"
_MEASURE = compile_linear(
    r"^[0-9]+[ -]?(?:characters?|chars?|digits?|letters?|symbols?|days?|weeks?|months?|hours?|minutes?|times?|th|st|nd"
    r"|rd|zeichen|ziffern|stellig\pL*|tage\pL?|caract[eè]res?|chiffres?|jours?|caracteres|d[ií]as|tekens|znak[oó]w)\b"
)
# A ticket, an address, a page, a key on the keyboard, a stand-in for a value, an error.
_NO_SECRET = compile_linear(
    r"^(?:[a-z]{2,5}-[0-9]+|https?:.*|www\..*|[^@]*@[a-z0-9-]+\..*|0x[0-9a-f]+|[0-9]+[-/.][0-9]+[-/.][0-9]+"
    r"|[<{\[$%].*|(?:your|my|the|new|old|some|example|dein|ihr|votre|tu)[_-].*|x{3,}.*|\*+|\.{2,}|secret\]?"
    r"|(?:windows|office|outlook|microsoft|sap|mac|vpn|wifi|e-?mail|iso|sha|md|aes|tls|ssl|k|oauth|mp|v)-?[0-9.]+)$"
)
_STATES = word_set(
    "wrong right correct incorrect valid invalid old new weak strong long short gone missing unknown known safe secure "
    "insecure unsafe fine okay good bad empty blank public private different same unique random hidden visible secret "
    "confidential mandatory necessary optional temporary permanent default broken stolen forgotten lost stale "
    "complex simple easy hard difficult case-sensitive sensitive null none true false yes here there below above "
    "inside attached written gibberish personal shared common obsolete outdated leaked useless fixed free ready "
    "unclear clear important urgent annoying next first last email username login account password passcode problem "
    "issue question trouble help thanks please mine yours theirs ours hers his nothing something anything everything "
    "someone everyone anyone somewhere everywhere nowhere today tomorrow yesterday tonight again already soon later "
    "enough alone afterwards reset change update expiry user name date birthday birthdate text data input string plain "
    "encrypted hashed case-insensitive numeric alphanumeric string required value test-only ok bust kaput dead history "
    "falsch richtig abgelaufen gesperrt weg nötig vergessen bekannt korrekt ungültig gültig sicher leer alt neu zu kurz"
)
"""What is said of passwords and is none; verbal and adjectival endings are told by `_ENDINGS`."""
_ENDINGS = ("ed", "ing", "able", "ible", "ive", "less", "ful", "ory", "ary", "ly", "ised", "ized", "t.", "n't")
_NAMES = (
    r"(?:pass[ -]?(?:word|wd|phrase|code)|pwd?|log-?in password|passwort|kennwort|mot de passe|contrase[ñn]a|clave"
    r"|senha|palavra-passe|wachtwoord|has[łl]o|l[öo]senord|adgangskode|passord|salasana|heslo|jelsz[óo]|parola|sifre)"
)
_IS = r"(?:is|was|ist|war|lautet|hei[sß]t|est|es|era|é|è|[äa]r|er)"
_NOW = r"(?: (?:now|still|currently|simply|just|jetzt|nun|maintenant|ahora))?"
_FOR = (
    r"(?: ?(?:for|of|to|on|in|at|f[üu]r|zum|zur|vom|von|pour|de|del|du|d'|para|do|da|per|voor|till|от|для)\b"
    r"[^.!?\n:=]{1,60}?)?"
)
_LINK = rf"{_FOR}(?:\s{_IS}(?:\s|:)|\s?[:=]|\s[-\x{{2013}}\x{{2014}}]>?\s){_NOW}\s*:?\s*"
"""What stands between the name of a password and the password: `for the guest network is now`."""
# Without `\b`, which RE2 knows between letters of ASCII alone.
_OTHER_NAMES = r"(?:парол[ья]|парола|şifre(?:m|si|miz)?|κωδικός|סיסמה|סיסמא|รหัสผ่าน|mật khẩu|parolă)"
_VALUE = (
    r"([\"'`\x{201c}\x{201e}\x{ab}][^\"'`\x{201c}\x{201d}\x{bb}\s]{3,60}[\"'`\x{201c}\x{201d}\x{bb}]"
    r"|[^\s\"\x{3002}\x{ff0c}]+)"
)
_CODES = (
    r"(?:pin(?:[ -]?(?:number|nummer|num|no\.?|koodi|kode|kod))?|puk|otp|cvv2?|cvc2?|pass[ -]?codes?|geheimzahl"
    r"|(?:door|gate|entry|entrance|alarm|safe|lock|unlock|keypad|vault|garage|access|security|verification|one[- ]time"
    r"|log-?in|sign-?in|2fa|mfa|sms|activation|recovery|backup|voicemail|locker) ?-?(?:code|pin|combination)"
    r"|(?:code|combination)(?: number)? (?:for|to|of|at|on) (?:the |my |our )?(?:[a-z]+ ){0,3}"
    r"(?:door|gate|entrance|alarm|safe|lock|locker|vault|garage|building|keypad)"
    r"|(?:t[üu]r|tor|alarm|tresor|zugangs|entsperr|best[äa]tigungs|sicherheits)-?code"
    r"|code (?:pin|secret|d'acc[eè]s|de (?:la )?(?:porte|l'alarme|s[eé]curit[eé]|v[eé]rification))"
    r"|c[oó]digo (?:pin|secreto|de (?:la )?(?:puerta|alarma|acceso|seguridad|verificaci[oó]n|acesso|verifica[cç][aã]o))"
    r"|codice (?:pin|segreto|della porta|di (?:accesso|sicurezza|verifica))|(?:toegangs|deur|pin)code"
    r"|(?:пин|pin)-?код|код (?:от двери|доступа|подтверждения))"
)
_LOCKED = (
    r"(?:atm|bank(?:ing)?|card|debit|credit|sim|phone|mobile|tablet|laptop|badge|account|log-?in|door|gate|locker|safe"
    r"|alarm|app|screen)"
)
"""What a PIN opens: no address has a code for it."""
_CODE = r"([#*]?[0-9](?:[ -]?[0-9]){2,11}[#*]?)(?:[^\pL0-9]|$)"
_USER_AND = (
    r"\b(?:user(?: ?name)?|log-?in|account|benutzer(?:name)?|utilisateur|identifiant|usuario|utente|gebruiker)\b"
    r"(?: is|:|=)? ?(?:[^\s,;/|]*[^\s,;/|:.?!])[\s,;/|]+(?:(?:and|und|et|y|e|with|mit)\s)?"
)


def _bare(value: str) -> str:
    return value.strip(_AROUND)


def _could_be(bare: str) -> bool:
    """Whether a value is neither too short nor something else of a known form, nor said of every password."""
    return (
        len(bare) >= _MIN_PASSWORD_CHARS
        and bare.casefold() not in _STATES
        and not _MEASURE.occurs_in(bare)
        and not _NO_SECRET.occurs_in(bare)
    )


def is_unlike_a_word(value: str) -> bool:
    """Says whether a value has a digit, a sign or a capital inside, and could be a password."""
    bare = _bare(value)
    digits = sum(map(str.isdecimal, bare))
    has_letter = any(map(str.isalpha, bare))
    has_sign = not _SIGNS.isdisjoint(bare.strip("!?*_"))
    is_code = digits >= _MIN_PASSWORD_CHARS and digits <= _MAX_CODE_DIGITS and digits == len(bare)
    return _could_be(bare) and (is_code or (has_letter and (digits > 0 or has_sign)))


def _is_given(value: str) -> bool:
    """Says the same where any word may stand that is not said of passwords."""
    bare = _bare(value)
    return is_unlike_a_word(value) or (_could_be(bare) and _is_no_comment(bare))


def _is_quoted_or_given(value: str) -> bool:
    return is_unlike_a_word(value) or (value[:1] in _QUOTES and _is_given(value))


def _is_no_comment(bare: str) -> bool:
    folded = bare.casefold()
    return bare.isalpha() and not folded.endswith(_ENDINGS) and folded not in LANGUAGES_OF


def _is_phrase(value: str) -> bool:
    """Says whether several words are a pass phrase: none of them is a small word."""
    words = value.casefold().split()
    return len(words) >= _MIN_PHRASE_WORDS and not any(word in LANGUAGES_OF or word == "not" for word in words)


def _is_code(value: str) -> bool:
    digits = sum(map(str.isdecimal, value))
    return _MIN_CODE_DIGITS <= digits <= _MAX_CODE_DIGITS


def _is_no_postal_code(value: str) -> bool:
    """India's postal codes are called PIN code too, and have six digits, of which the first is no nought."""
    digits = [char for char in value if char.isdecimal()]
    return _is_code(value) and (len(digits) != _POSTAL_DIGITS or digits[0] == "0")


def _is_foreign(value: str) -> bool:
    """Says whether Latin letters, signs and digits in a sentence of another script may be a password."""
    bare = _bare(value)
    return is_unlike_a_word(value) or (_could_be(bare) and bare.isascii() and bare.isalpha())


def _told(hints: str, pattern: str, accepts: Any, name: str = "password") -> Shape:
    return Shape(name, tuple(hints.split("|")), compile_linear(pattern), accepts)


_NAMED = (
    "pass|pwd|pw|kennwort|contrase|clave|senha|palavra|wachtwoord|haslo|hasło|senord|adgangskode|salasana|heslo|jelsz"
    "|parol|sifre"
)
_CODED = "pin|puk|otp|cvv|cvc|code|combination|geheimzahl|código|codigo|codice|код"
_LATIN = r"[\x{21}-\x{7e}]"
_UNSPACED_NAMES = (
    r"(?:密码|密碼|口令|パスワード|暗証番号|비밀번호|암호|验证码|驗證碼|门禁码"
    r"|كلمة المرور|كلمة السر|الرقم السري|رمز الدخول|पासवर्ड|पिन|पासकोड)"
)
_ASIAN = _UNSPACED_NAMES[3:-1]
_BETWEEN = r"[^\n\x{21}-\x{7e}\pN\x{3002}\x{ff0c}\x{ff01}\x{ff1f}]{0,14}[:=\x{201c}\"\x{300c}'\s]{0,4}"

TOLD_SHAPES = (
    _told(_NAMED, rf"(?:\b|_){_NAMES}\b[\"']?,?{_LINK}{_VALUE}", _is_quoted_or_given),
    _told("hasło|haslo|heslo", rf"\b(?:has[łl]o|heslo){_FOR} (?:to|je) {_VALUE}", is_unlike_a_word),
    _told("salasana", rf"\bsalasana(?:ni)? *on {_VALUE}", is_unlike_a_word),
    # A word of letters alone is a password only where the sentence ends with it, and surely after `lautet`.
    _told(
        "pass|pw",
        rf"(?m)\bpass[ -]?(?:word|code|phrase)\b{_FOR} (?:is|was)(?: now)? ([\pL]{{4,}})[.!]?\s*$",
        _is_given,
    ),
    _told("lautet", rf"\b{_NAMES}\b{_FOR} lautet:? {_VALUE}", _is_given),
    _told("phrase", r"\bpass[ -]?phrase (?:is|was):? ((?:[\pL]{2,20} ){2,9}[\pL]{2,20})", _is_phrase),
    _told(
        _NAMED,
        rf"\b(?:set|chang(?:e|ed)|reset|made|make)\b (?:[\pL']+ ){{0,4}}{_NAMES}\b{_FOR} to:? {_VALUE}",
        _is_quoted_or_given,
    ),
    _told(
        _NAMED,
        rf"\b{_NAMES}\b{_FOR} (?:is|was|has been|will be)(?: now)? (?:set|changed|reset) to:? {_VALUE}",
        _is_quoted_or_given,
    ),
    _told(
        _NAMED,
        rf"\b(?:use|using|with|enter|type|try|and|is)\b (?:[\pL']+ ){{0,2}}{_NAMES} {_VALUE}",
        is_unlike_a_word,
    ),
    _told(
        _NAMED, rf"{_VALUE} is (?:my|the|our|his|her|their) (?:[\pL-]+ )?{_NAMES}(?:[.,;!]|$| for\b)", is_unlike_a_word
    ),
    _told(
        _NAMED,
        rf"{_USER_AND}{_NAMES}\b ?[:=] ?{_VALUE}",
        _is_given,
    ),
    _told(
        _NAMED,
        rf"{_USER_AND}{_NAMES}\b {_VALUE}",
        is_unlike_a_word,
    ),
    _told(
        "парол|şifre|κωδικός|סיסמ|รหัสผ่าน|mật khẩu|parolă",
        rf"{_OTHER_NAMES}(?:{_LINK}|\s(?:είναι|la|este|היא|הוא|คือ|là)?\s*:?\s*){_VALUE}",
        is_unlike_a_word,
    ),
    _told(
        _NAMED,
        rf"(?:\b|[_a-z])(?:{_NAMES}|passw)=[\"']?([^\s\"'&;,<>]{{4,200}})",
        lambda value: _could_be(_bare(value)),
    ),
    _told(
        "--pass|--pwd",
        rf"(?:^|\s)--(?:password|passphrase|pwd|pass)[ =]{_VALUE}",
        lambda value: _could_be(_bare(value)),
    ),
    _told(
        "token|secret|key|credential",
        r"(?:\b|_)(?:token|secret|api_?key|access_?key|credentials?)[\"']?\s?(?:=|:=|=>)\s?[\"']?([^\s\"'&;,<>]{6,200})",
        is_unlike_a_word,
        "assigned",
    ),
    _told(
        "token|secret|key",
        r"\b(?:[a-z0-9]+[_ -])?(?:token|secret|api[_ -]?key)[\"']?(?: ?: ?| is )[\"'`]?([^\s\"'`&;,<>]{8,200})",
        is_unlike_a_word,
        "assigned",
    ),
    _told(
        "authorization|proxy-auth|bearer",
        r"\b(?:authori[sz]ation[\"']?\s?[:=]\s?[\"']?(?:bearer|token|basic|digest|apikey)?"
        r"|bearer token:?|bearer:) +([^\s\"']{6,})",
        lambda value: _could_be(_bare(value)) and not _bare(value).isalpha(),
        "bearer",
    ),
    _told("pin", rf"\bpin ?code\b(?:{_LINK}|\s){_CODE}", _is_no_postal_code, "access_code"),
    _told("pin", rf"\b{_LOCKED}(?:'s)? pin ?code\b{_LINK}{_CODE}", _is_code, "access_code"),
    _told(
        _CODED,
        rf"\b{_CODES}\b[\"']?,?(?: (?:number|nummer|no\.?))?(?:{_LINK}|\s){_CODE}",
        _is_code,
        "access_code",
    ),
    _told(
        _CODED, rf"\b([0-9](?:[ -]?[0-9]){{3,7}}) is (?:my|the|our) (?:[\pL-]+ )?{_CODES}\b", _is_code, "access_code"
    ),
    _told(
        _ASIAN,
        rf"{_UNSPACED_NAMES}{_BETWEEN}({_LATIN}{{3,60}}|\p{{Nd}}{{4,12}})",
        _is_foreign,
    ),
)
ANY_TOLD_HINT = compile_linear(
    "|".join(sorted({escape(hint) for shape in TOLD_SHAPES for hint in shape.hints})), case_sensitive=True
)
"""Finds whether a text in lower case has any hint of any of these shapes, in one pass."""
