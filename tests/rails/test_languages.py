import pytest

from rails.languages import unread_by, unserved

_ENGLISH = frozenset({"en"})
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
