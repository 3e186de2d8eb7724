"""Tests of the key shapes; the keys are put together here so that scanners of this repository find none."""

import pytest

from rails.checks.secrets import SecretsParams, find, masked

_MIXED = "a1B2c3D4e5" * 10

KEYS = {
    "private_key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "canongate_key": "cg_" + "Ab12Cd34" + "_" + _MIXED[:43],
    "aws_key": "AKIA" + "IOSFODNN7EXAMPLE",
    "github_token": "ghp_" + _MIXED[:36],
    "gitlab_token": "glpat-" + _MIXED[:20],
    "slack_token": "xoxb-" + "1234567890-abcdefghij",
    "slack_hook": "https://hooks.slack" + ".com/services/T0000000/B0000000/" + _MIXED[:24],
    "google_key": "AIza" + _MIXED[:35],
    "stripe_key": "sk_live_" + _MIXED[:24],
    "api_key": "sk-proj-" + _MIXED[:40],
    "package_token": "npm_" + _MIXED[:36],
    "azure_key": "DefaultEndpointsProtocol=https;AccountName=desk;AccountKey=" + _MIXED[:86] + "==",
    "service_token": "SG." + _MIXED[:22] + "." + _MIXED[:43],
    "password": "password: " + "Summer2024!",
    "model_hub_token": "hf_" + _MIXED[:34],
    "jwt": "eyJhbGciOiJI" + ".eyJzdWIiOiIx." + "SflKxwRJSMeKKF2QT4",
    "bearer": "Authorization: Bearer " + _MIXED[:24],
    "basic_auth": "Authorization: Basic " + "dXNlcjpwYXNzd29yZA==",
    "url_password": "postgres://admin" + ":hunter2@db.example/x",
    "assigned": "api_key = " + _MIXED[:20],
    "random_token": "use " + "Zx9Qm2Lk7Vb4Tn8Rw3Yp6Hs1Dj5Gf0Ca",
}


MORE = {
    "private_key": ["-----BEGIN PGP " + "PRIVATE KEY BLOCK-----", "PuTTY-User-Key-File" + "-3: ssh-ed25519"],
    "aws_key": ["ASIA" + "IOSFODNN7EXAMPLE"],
    "github_token": ["github_pat_" + _MIXED[:60], "ghs_" + _MIXED[:36]],
    "gitlab_token": ["glrt-" + _MIXED[:20]],
    "slack_token": ["xapp-1-" + "A0123456789-1234567890", "xoxe.xoxp-1-" + _MIXED[:30]],
    "google_token": ["ya29." + _MIXED[:30], "GOCSPX-" + _MIXED[:28]],
    "stripe_key": ["rk_test_" + _MIXED[:24], "whsec_" + _MIXED[:32]],
    "api_key": ["sk-" + _MIXED[:48], "sk-ant-api03-" + _MIXED[:40]],
    "package_token": ["pypi-" + _MIXED[:60], "dckr_pat_" + _MIXED[:27]],
    "azure_key": ["abc8Q~" + _MIXED[:34]],
    "service_token": ["dop_v1_" + "0a1b2c3d" * 8, "hvs." + _MIXED[:30], "123456789:AA" + _MIXED[:33]],
    "jwt": ["eyJhbGciOiJk" + "aXIifQ..abc." + _MIXED[:20]],
    "password": ["pwd=" + "hunter22", "Das Passwort ist Sommer2024.", "my password is " + "Tr0ub4dor&3"],
}


def _first(text):
    return next((name for name, *_ in find(text, SecretsParams())), None)


@pytest.mark.parametrize("shape", sorted(KEYS))
def test_a_key_is_found_inside_a_sentence(shape):
    assert _first(f"Here it is: {KEYS[shape]} - thanks") == shape


@pytest.mark.parametrize(("shape", "key"), [(shape, key) for shape, keys in MORE.items() for key in keys])
def test_other_keys_of_a_kind_are_found_too(shape, key):
    assert _first(f"Here it is: {key} - thanks") == shape


@pytest.mark.parametrize("shape", sorted(KEYS))
def test_a_masked_text_keeps_its_words_and_loses_its_secret(shape):
    text = f"Before {KEYS[shape]} - after"
    left = masked(text, list(find(text, SecretsParams())))
    assert left.startswith("Before ")
    assert "[secret]" in left
    assert shape == "private_key" or left.endswith("after")
    assert next(find(left, SecretsParams()), None) is None


def test_a_private_key_is_masked_to_its_end():
    key = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEow\n-----END RSA " + "PRIVATE KEY-----"
    text = f"Before\n{key}\nafter"
    assert masked(text, list(find(text, SecretsParams()))) == "Before\n[secret]\nafter"


def test_two_secrets_are_two_masks():
    text = f"{KEYS['github_token']} and {KEYS['aws_key']}"
    assert masked(text, list(find(text, SecretsParams()))) == "[secret] and [secret]"
