from pathlib import Path

import pytest

from rails.languages import spoken, unread_by, unserved

_ENGLISH = frozenset({"en"})
_CASES = Path(__file__).parents[1] / "cases" / "languages"
_MANY = frozenset({"en", "de", "fr", "it", "nl", "pl", "pt", "es", "tr", "ru", "ar", "zh", "zh-tw", "ja", "ko", "th"})


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (
            "كيف أغير كلمة المرور؟",
            "arabic",
        ),
        (
            "मैं अपना पासवर्ड कैसे बदलूँ?",
            "devanagari",
        ),
        ("重置密码", "cjk"),
        ("Сбросить пароль", "cyrillic"),
        ("VPN Tunnelwise مشكلة", "arabic"),
        ("重置 Tunnelwise VPN 密码", "cjk"),
        ("Wie setze ich mein Passwort zurück?", "de"),
        ("¿Cómo restablezco mi contraseña?", "es"),
        ("je ne peux pas me connecter", "fr"),
        ("bagaimana saya tukar kata laluan", "ms"),
        ("Como redefino a minha senha?", "pt"),
        ("Hoe reset ik mijn wachtwoord", "nl"),
        ("Ninawezaje kubadilisha nenosiri langu kompyuta kazi leo asubuhi haraka kabisa", "unknown"),
    ],
)
def test_a_message_that_an_english_embedder_does_not_read_is_named(message: str, found: str) -> None:
    assert unserved(message, _ENGLISH) == found


@pytest.mark.parametrize(
    "message",
    [
        "How do I reset my password?",
        "pw reset",
        "badge gone",
        "Passwort vergessen",
        "Where do I book a café in São Paulo?",
        "Zürich office hours",
        "Hallo, how do I reset mein Passwort",
        "Where is the parcel for محمد?",
        "How do I write 你好 in an e-mail to a customer?",
        "INC-448120",
        "\U0001f600\U0001f600 123",
        "",
        "where is the office of de la Cruz in Los Angeles",
        "Hola is on my badge, is that so?",
    ],
)
def test_english_passes_with_names_greetings_and_short_messages(message: str) -> None:
    assert unserved(message, _ENGLISH) is None


def test_an_embedder_of_many_languages_is_asked_for_no_more_than_it_reads() -> None:
    assert (
        unserved(
            "كيف أغير كلمة المرور؟",
            _MANY,
        )
        is None
    )
    assert unserved("重置密码", _MANY) is None
    assert unserved("Wie setze ich mein Passwort zurück?", _MANY) is None
    assert unserved("पासवर्ड कैसे बदलें", _MANY) == "devanagari"
    assert unserved("bagaimana saya tukar kata laluan", _MANY) == "ms"
    assert (
        unserved(
            "سلام چرا گذرواژه کار نمی\u200cکند",
            _MANY,
        )
        == "fa"
    )


def test_english_is_refused_where_only_another_script_is_read() -> None:
    assert unserved("How do I reset my password?", frozenset({"ru"})) == "latin"
    assert unserved("Как включить VPN Tunnelwise?", frozenset({"ru"})) is None


def test_no_vote_is_taken_where_a_served_language_has_no_list() -> None:
    assert unserved("Wie setze ich mein Passwort zurück?", frozenset({"en", "sw"})) is None


@pytest.mark.parametrize("served", [frozenset[str](), frozenset({"xx"}), frozenset({"en", "qq"})])
def test_a_language_without_a_known_script_is_an_error(served: frozenset[str]) -> None:
    with pytest.raises(ValueError, match="no script is known"):
        unserved("How do I reset my password?", served)
    with pytest.raises(ValueError, match="no script is known"):
        unread_by(served)


def test_where_nobody_knows_the_languages_no_message_is_unread() -> None:
    assert not unread_by(None)("Wie setze ich mein Passwort zurück?")
    assert unread_by(_ENGLISH)("Wie setze ich mein Passwort zurück?")
    assert not unread_by(["en-GB"])("How do I reset my password?")


def test_letters_of_scripts_that_no_served_language_uses_are_told_apart() -> None:
    for text, script in (("ߒߞߏ ߞߊ߲", "nko"), ("ଓଡ଼ିଆ ଭାଷା", "oriya"), ("ދިވެހި ބަސް", "thaana"), ("ꆈꌠꁱꂷ", "yi")):
        assert unserved(text, _ENGLISH) == script


def test_a_stated_share_of_foreign_letters_is_let_through() -> None:
    message = "Where is the parcel for Дмитрий Иванов?"
    assert unserved(message, _ENGLISH) == "cyrillic"
    assert unserved(message, _ENGLISH, 0.5) is None


def test_english_without_a_small_word_is_never_refused() -> None:
    keywords = _cases("english_keywords")
    assert len(keywords) == 200
    assert [text for text in keywords if unserved(text, _ENGLISH)] == []
    assert unserved(" ".join(keywords), _ENGLISH) is None
    for text in (
        "vacuum bazaar garden wooden",
        "sci fi wi fi",
        "salaries galleries solar dealers",
        "mp3player win2k log4j b2b",
        "lunch at Al Baik with el Patron",
    ):
        assert unserved(text, _ENGLISH) is None


@pytest.mark.parametrize(
    ("language", "help_desk", "elsewhere"), [("fi", 25, 4), ("tr", 30, 9), ("vi", 29, 7), ("hi", 30, 5), ("ar", 25, 3)]
)
def test_languages_whose_sentences_have_few_small_words_are_mostly_caught(
    language: str, help_desk: int, elsewhere: int
) -> None:
    # The lists were written beside the first thirty and left alone after the other ten.
    for name, least in (("help_desk", help_desk), ("elsewhere", elsewhere)):
        texts = _cases(f"{name}_{language}")
        assert len(texts) == (30 if name == "help_desk" else 10)
        assert sum(unserved(text, _ENGLISH) is not None for text in texts) >= least


def test_a_name_in_letters_of_its_own_language_does_not_make_a_message_foreign() -> None:
    for text in ("badge Nguyễn Đức missing", "parcel Mr. Äänekoski Jyväskylä lost", "Şahin Işık payslip missing"):  # noqa: RUF001 - the dotless i is a Turkish letter
        assert unserved(text, _ENGLISH) is None


def test_a_served_language_may_be_typed_in_latin_letters() -> None:
    typed = "mujhe apna password reset karna hai"
    assert unserved(typed, _ENGLISH) == "hi"
    assert unserved(typed, frozenset({"en", "hi"})) is None
    assert unserved(typed, frozenset({"en", "ur"})) is None


def test_ends_of_words_tell_nothing_where_more_than_english_is_served() -> None:
    swahili = "kompyuta nenosiri likizo kazi leo asubuhi haraka kabisa"
    assert unserved(swahili, _ENGLISH) == "unknown"
    assert unserved(swahili, frozenset({"en", "it"})) is None


@pytest.mark.parametrize(
    ("message", "served", "language"),
    [
        ("Wie setze ich mein Passwort zurück?", ("en", "de"), "de"),
        ("Passwort zurücksetzen", ("en", "de"), "de"),
        ("How do I reset my password?", ("de", "en"), "en"),
        ("كيف أغير كلمة المرور؟", ("en", "ar", "fa"), "ar"),
        ("چطور رمز عبورم را تغییر بدهم؟ پسورد چیست", ("en", "ar", "fa"), "fa"),
        ("VPN لا يعمل منذ أمس", ("en", "ar"), "ar"),
        ("كيف أثبت Tunnelwise؟", ("en", "ar"), "ar"),
        ("Como redefino a minha senha?", ("en", "pt-BR"), "pt-BR"),
        ("パスワードを変更したい", ("en", "zh", "ja"), "ja"),
        ("重置密码", ("en", "zh", "ja"), "zh"),
        ("Сбросить пароль", ("en", "ru"), "ru"),
        ("ok", ("de", "en"), "de"),
        ("", ("de", "en"), "de"),
        ("12345", ("ar", "en"), "ar"),
        ("je ne peux pas me connecter", ("en", "de"), "en"),
        ("anything at all", ("tlh",), "tlh"),
        ("anything at all", ("tlh", "en"), "en"),
    ],
)
def test_a_message_is_in_the_served_language_that_it_is_written_in(
    message: str, served: tuple[str, ...], language: str
) -> None:
    assert spoken(message, served) == language


def _cases(name: str) -> list[str]:
    return (_CASES / f"{name}.txt").read_text("utf-8").splitlines()
