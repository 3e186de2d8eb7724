"""Tests of the key shapes; the keys are put together here so that scanners of this repository find none."""

import pytest

from rails.checks.secrets import SecretsParams, find

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
    "model_hub_token": "hf_" + _MIXED[:34],
    "jwt": "eyJhbGciOiJI" + ".eyJzdWIiOiIx." + "SflKxwRJSMeKKF2QT4",
    "bearer": "Authorization: Bearer " + _MIXED[:24],
    "basic_auth": "Authorization: Basic " + "dXNlcjpwYXNzd29yZA==",
    "url_password": "postgres://admin" + ":hunter2@db.example/x",
    "assigned": "api_key = " + _MIXED[:20],
    "random_token": "use " + "Zx9Qm2Lk7Vb4Tn8Rw3Yp6Hs1Dj5Gf0Ca",
}


@pytest.mark.parametrize("shape", sorted(KEYS))
def test_a_key_is_found_inside_a_sentence(shape):
    assert find(f"Here it is: {KEYS[shape]} - thanks", SecretsParams()) == f"secrets.{shape}"
