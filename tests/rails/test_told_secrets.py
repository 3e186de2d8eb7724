# ruff: noqa: RUF001 - signs and digits of other scripts are the point
"""Tests of passwords and codes that people tell in a sentence, and of sentences that only speak of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rails.checks.secrets import SecretsParams, find, masked
from rails.told_secrets import ANY_TOLD_HINT, TOLD_SHAPES

TOLD = (
    "The password for the guest wifi is Sunflower-42",
    "The password for the printer is swordfish.",
    "username bob password hunter2",
    "login: bob / password: hunter",
    "user bob, pw secret99x",
    "my passcode is 482913",
    "passcode is 4829",
    "the passcode is blue7",
    "token=abc123def",
    "client_secret=s3cr3tvalue",
    "https://a.example/cb?token=9f8e7d6c",
    "my PIN is 4829",
    "PIN: 0420",
    "The PIN code is 048291",
    "My card PIN code is 482913",
    "the phone's pin code: 482913",
    "PIN 4829",
    "the door code is 4471#",
    "The code for the back door is 2580",
    "Türcode: 4471",
    "safe combination 12-34-56",
    "Authorization: Bearer abc123",
    "Authorization: Bearer tok_9x8",
    "authorization: token abc-123-zz",
    "密码是 hunter2",
    "密码是hunter2",
    "我的密码是：swordfish1",
    "WiFi密码：88888888",
    "パスワードはabc123です",
    "비밀번호는 abc1234 입니다",
    "пароль: qwerty123",
    "Мой пароль — qwerty123",
    "كلمة المرور هي hunter22",
    "كلمة السر: ١٢٣٤٥٦",
    "मेरा पासवर्ड hunter2 है",
    "पासवर्ड है: rahul@123",
    "Das Passwort für das WLAN lautet Sonnenblume",
    "Das Kennwort ist Garten2024",
    "le mot de passe est soleil2024",
    "La contraseña del wifi es gato2024",
    "a senha é gato2024",
    "La password è gatto2024",
    "Het wachtwoord is tulp2024",
    "Moje hasło to kot123",
    "Şifre: kedi2024",
    "DB_PASSWORD=swordfish",
    '"password": "hunter"',
    "--password hunter2",
    "I changed my password to Winter2024!",
    "the password was changed to Winter2024",
    "Use the password Winter2024 to log in",
    "hunter2 is my password",
    "4829 is my PIN",
    "my cvv is 123",
    "The OTP is 482913",
    "verification code: 482913",
    "My passphrase is purple monkey dishwasher lamp",
    "your one-time code is 48 29 13",
    "mi pin es 4829",
    "le code PIN est 4829",
    "mein PIN ist 4829",
    "Meine PIN lautet 4829",
    "access code for the garage: 9981",
    'my password is "sunflower"',
    "password=letmein",
)
SPOKEN_OF = (
    "How do I change my password?",
    "the password is case sensitive",
    "my PIN is not working",
    "The password is expired.",
    "My password is wrong.",
    "my password is not accepted",
    "Is the password case-sensitive?",
    "The PIN is 4 digits long",
    "a PIN has 4 to 8 digits",
    "My passcode is blocked",
    "The passcode must have 6 digits",
    "the password for outlook is gone",
    "The password for the VPN is the same as for Windows",
    "My password is 12 characters long",
    "The password for my account is missing",
    "password reset for windows11",
    "My username and password are not working",
    "username or password is incorrect",
    "user name and password please",
    "Where is the PIN of my phone?",
    "PIN code 560001",
    "My PIN code is 560 001, do you deliver there?",
    "error code 4400",
    "The error code is 0x80070643",
    "My cost centre code is 4400",
    "The zip code is 90210",
    "The country code is 0049",
    "room code 12",
    "Token: what is that?",
    "the security token is broken",
    "My token is not accepted since yesterday",
    "Authorization: Bearer <token>",
    "Authorization: Bearer $TOKEN",
    "Set token=YOUR_TOKEN",
    "password=<your password>",
    "如何更改密码？",
    "密码是什么？",
    "我的密码不能用",
    "密码是区分大小写的",
    "パスワードを忘れました",
    "비밀번호를 잊어버렸어요",
    "Я забыл пароль",
    "Пароль не подходит",
    "نسيت كلمة المرور",
    "मैं अपना पासवर्ड भूल गया",
    "मेरा पासवर्ड reset करें",
    "Mein Passwort ist abgelaufen",
    "Das Passwort ist falsch.",
    "Mon mot de passe est expiré",
    "mi contraseña es incorrecta",
    "The password is sent by mail.",
    "Passwords expire after 90 days",
    "The door code is changed every month",
    "How do I get the door code?",
    "I want to change my password to something else",
    "Please reset the password to the default",
    "My passphrase is not accepted by the key",
    "The combination of laptop and dock is 1234 euros",
    "the PIN is 3 times wrong",
    "My password is too short",
    "the password was changed on 12/05/2024",
    "I need the password to server01",
    "Is my password ok?",
    "The access code is in the mail.",
    "The password is Outlook's",
    "The confirmation code never came",
    "promo code SAVE20",
    "The new password is ignored",
    "密码必须至少8个字符",
    "密码至少12位",
    "كلمة المرور يجب أن تكون 8 أحرف",
    "पासवर्ड में 8 अक्षर",
    "passwords must have 12 characters",
    "I have 2 passwords, which is right?",
    "the API key is missing",
    "The token is valid for 60 minutes",
    "My PIN is 1 digit too long",
    "my login is bob",
    "Where can I find my username and password",
    "user manual password chapter",
    "The guest account password is printed on the badge.",
    "access to building code 12",
    "My password isn't working since 2024",
    "pin 12 on the connector",
)


def _found(text):
    return list(find(text, SecretsParams()))


@pytest.mark.parametrize("text", TOLD)
def test_a_password_or_code_is_found_in_the_words_of_people(text):
    assert _found(text)


@pytest.mark.parametrize("text", TOLD)
def test_nothing_is_found_where_it_has_been_masked(text):
    assert _found(masked(text, _found(text))) == []


@pytest.mark.parametrize("text", SPOKEN_OF)
def test_what_is_said_of_passwords_and_codes_is_none(text):
    assert _found(text) == []


@given(
    st.sampled_from(
        ["password", "passcode", "Passwort", "Kennwort", "mot de passe", "contraseña", "senha", "wachtwoord"]
    ),
    st.sampled_from(["", " for the guest wifi", " für das Gastnetz", " pour le portail", " para el portal"]),
    st.sampled_from([" is ", ": ", " = ", " lautet ", " est ", " es ", " ist "]),
    st.from_regex(r"[A-Z][a-z]{4,8}[0-9]{2,4}[!#$]", fullmatch=True),
)
def test_a_password_of_letters_digits_and_signs_is_found_behind_its_name(name, whose, link, password):
    assert _found(f"Note: {name}{whose}{link}{password}")


@given(
    st.sampled_from(["PIN", "door code", "alarm code", "OTP", "Türcode", "code PIN", "verification code"]),
    st.sampled_from([" is ", ": ", " = ", " ist ", " est "]),
    st.from_regex(r"[0-9]{4,8}", fullmatch=True),
)
def test_a_code_of_digits_is_found_behind_its_name(name, link, code):
    text = f"The {name}{link}{code}, thanks"
    assert masked(text, _found(text)) == "The [secret], thanks"


@pytest.mark.parametrize("text", TOLD)
def test_each_text_that_has_a_shape_has_one_of_its_hints(text):
    lowered = text.lower()
    for shape in TOLD_SHAPES:
        if shape.pattern.search(text) is not None:
            assert any(hint in lowered for hint in shape.hints)
            assert ANY_TOLD_HINT.search(lowered) is not None
