"""No token opens the widget but one that its very site signed, for itself, for now, for the first time: 0 accepted."""

import base64
import datetime as dt
import hashlib
import hmac
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey, RSAKey

from rails.engine import RailsPolicy
from store.database import open_database
from store.people import OPERATOR
from tests.administration import AdminWorld
from tests.migrated import migrate_new
from tests.widget_world import BASE, PORTAL, Site, make_site
from tests.world import World

pytestmark = pytest.mark.anyio
RSA, OTHER_RSA = RSAKey.generate_key(2048), RSAKey.generate_key(2048)
EDWARDS = OKPKey.generate_key("Ed25519")
STRONG = "another-secret-that-is-quite-long-enough-for-it"


@pytest.fixture(scope="module")
def admin(policy: RailsPolicy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdminWorld]:
    folder = tmp_path_factory.mktemp("widget-tokens")
    url = f"sqlite:///{folder / 'admin.db'}"
    migrate_new(url)
    database = open_database(url)
    yield AdminWorld(World(policy), database, folder)
    database.close()


@pytest.fixture(scope="module")
def sites(admin: AdminWorld) -> dict[str, Site]:
    def keys(**made: RSAKey | OKPKey) -> dict[str, Any]:
        return {"keys": [{"kid": kid, **key.as_dict(private=False)} for kid, key in made.items()]}

    return {
        "hs": make_site(admin, "hs", rates={"address": 10**6}),
        "other": make_site(admin, "other", origins=[PORTAL]),
        "rs": make_site(admin, "rs", algorithm="RS256", keys=keys(first=RSA, second=OTHER_RSA)),
        "ed": make_site(admin, "ed", algorithm="EdDSA", keys=keys(only=EDWARDS)),
    }


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def by_hand(site: Site, header: dict[str, Any], secret: bytes | None) -> str:
    """Signs with HMAC whatever the header says; with None not at all."""
    signed = ".".join(base64url(msgspec.json.encode(one)) for one in (header, site.claims()))
    return signed + "." + ("" if secret is None else base64url(hmac.digest(secret, signed.encode(), hashlib.sha256)))


def signed(site: Site, key: RSAKey | OKPKey, algorithm: str, **header: Any) -> str:
    return jwt.encode({"alg": algorithm, **header}, site.claims(), key, algorithms=[algorithm])


def moved(site: Site, iat: float, exp: float, **more: Any) -> str:
    now = int(site.admin.clock.at.timestamp())
    return site.token(iat=now + iat, exp=now + exp, **more)


def now(site: Site) -> int:
    return int(site.admin.clock.at.timestamp())


def changed(site: Site) -> str:
    header, claims, signature = site.token().split(".")
    other = base64url(msgspec.json.encode(site.claims(sub="root")))
    assert claims != other
    return f"{header}.{other}.{signature}"


REFUSED: dict[str, Callable[[Site], str]] = {
    "over": lambda site: moved(site, -300, 0),
    "over by a second": lambda site: moved(site, -300, -1),
    "of yesterday": lambda site: moved(site, -86_700, -86_400),
    "longer than ten minutes": lambda site: moved(site, 0, 601),
    "long, and about to end": lambda site: moved(site, -600, 60),
    "of the future": lambda site: moved(site, 31, 300),
    "not before later": lambda site: site.token(nbf=now(site) + 60),
    "ends before it begins": lambda site: moved(site, 10, 5),
    "ends with what is no number": lambda site: site.token(exp="never"),
    "ends in infinity": lambda site: site.token(exp=1e300),
    "true for a time": lambda site: site.token(iat=True),
    "without an end": lambda site: site.token(exp=None),
    "without a beginning": lambda site: site.token(iat=None),
    "without an id": lambda site: site.token(jti=None),
    "with an empty id": lambda site: site.token(jti=""),
    "without a person": lambda site: site.token(sub=None),
    "of an empty person": lambda site: site.token(sub=" "),
    "of a person with a line break": lambda site: site.token(sub="ada\n"),
    "of a number": lambda site: site.token(sub=7),
    "for nobody": lambda site: site.token(aud=None),
    "for another client": lambda site: site.token(aud="other"),
    "for several": lambda site: site.token(aud=["hs", "other"]),
    "for a longer name": lambda site: site.token(aud="hs2"),
    "for another case": lambda site: site.token(aud="HS"),
    "with another secret": lambda site: site.token(secret=STRONG),
    "with the client's id for a secret": lambda site: by_hand(site, {"alg": "HS256"}, site.client.encode()),
    "with an empty secret": lambda site: by_hand(site, {"alg": "HS256"}, b""),
    "changed after it was signed": changed,
    "unsigned": lambda site: by_hand(site, {"alg": "none"}, None),
    "unsigned, in other letters": lambda site: by_hand(site, {"alg": "NonE"}, None),
    "unsigned, and said to be signed": lambda site: by_hand(site, {"alg": "HS256"}, None),
    "without an algorithm": lambda site: by_hand(site, {"typ": "JWT"}, (site.secret or "").encode()),
    "with a stronger algorithm": lambda site: jwt.encode(
        {"alg": "HS512"}, site.claims(), OctKey.import_key((site.secret or "").encode()), algorithms=["HS512"]
    ),
    "with a key in its header": lambda site: site.token(
        header={"jwk": OctKey.import_key(STRONG.encode()).as_dict()}, secret=STRONG
    ),
    "with an address of keys": lambda site: site.token(header={"jku": "https://evil.example/keys"}),
    "with a critical header": lambda site: by_hand(
        site, {"alg": "HS256", "crit": ["exp"], "exp": 1}, (site.secret or "").encode()
    ),
    "of another type": lambda site: by_hand(site, {"alg": "HS256", "typ": "at+jwt"}, (site.secret or "").encode()),
    "too large": lambda site: site.token(more="x" * 5000),
    "two parts": lambda site: site.token().rpartition(".")[0],
    "an encrypted one's five parts": lambda site: site.token() + ".a.b",
    "a word": lambda _: "token",
    "nothing": lambda _: "",
    "not ASCII": lambda site: site.token() + "é",
}


async def accepted(site: Site, token: str, *, client: str | None = None) -> bool:
    async with site.browser() as page:
        told = await page.post(f"{BASE}/sessions", json={"client": client or site.client, "token": token})
    if told.status_code != 201:
        assert told.status_code in (401, 403), told.text
        if told.status_code == 401:
            assert told.json()["error"]["code"] == "identity_invalid"
            assert "Get a new token" in told.json()["error"]["message"]
    return told.status_code == 201


@pytest.mark.parametrize("case", REFUSED)
async def test_no_token_but_a_good_one_is_accepted(sites: dict[str, Site], case: str) -> None:
    site = sites["hs"]
    assert not await accepted(site, REFUSED[case](site))
    assert await accepted(site, site.token())  # which would be refused too, if all were


async def test_a_token_is_accepted_once(sites: dict[str, Site]) -> None:
    site = sites["hs"]
    token = site.token()
    assert await accepted(site, token)
    assert [await accepted(site, token) for _ in range(20)] == [False] * 20
    assert await accepted(site, site.token(jti="same"))
    assert not await accepted(site, site.token(jti="same")), "another token under the same id"


async def test_a_token_is_accepted_once_also_after_its_session_ended_and_was_swept(sites: dict[str, Site]) -> None:
    site = sites["hs"]
    clock = site.admin.clock
    before = clock.at
    token = moved(site, 0, 600)
    assert await accepted(site, token)
    clock.pass_by(seconds=590)
    site.admin.widget.visits.forget()
    assert not await accepted(site, token)
    clock.at = before


async def test_no_token_of_another_client_is_accepted(sites: dict[str, Site]) -> None:
    site, other = sites["hs"], sites["other"]
    assert not await accepted(site, other.token())
    assert not await accepted(site, other.token(aud="hs"))
    assert not await accepted(other, site.token())
    assert not await accepted(other, site.token(), client="hs")


@pytest.mark.parametrize("name", ["rs", "ed"])
async def test_with_public_keys_none_of_the_confusions_is_accepted(sites: dict[str, Site], name: str) -> None:
    site = sites[name]
    key, algorithm, kid = (RSA, "RS256", "first") if name == "rs" else (EDWARDS, "EdDSA", "only")
    public = key.as_pem(private=False)
    good = signed(site, key, "RS256" if name == "rs" else "Ed25519", kid=kid)
    assert await accepted(site, good)
    assert not await accepted(site, good)
    for secret in (public, key.as_der(private=False), msgspec.json.encode(key.as_dict(private=False))):
        for header in ({"alg": "HS256"}, {"alg": "HS256", "kid": kid}, {"alg": algorithm, "kid": kid}):
            assert not await accepted(site, by_hand(site, header, secret))
    stranger = RSAKey.generate_key(2048)
    assert not await accepted(site, signed(site, stranger, "RS256", kid=kid))
    assert not await accepted(site, signed(site, stranger, "RS256", kid="unknown"))
    assert not await accepted(site, by_hand(site, {"alg": "none", "kid": kid}, None))
    if name == "rs":
        assert not await accepted(site, signed(site, OTHER_RSA, "RS256", kid="first")), "a key under another's name"
        assert not await accepted(site, signed(site, RSA, "PS256", kid="first"))
        assert not await accepted(site, signed(site, RSA, "RS256")), "two keys, and none named"
        assert await accepted(site, signed(site, OTHER_RSA, "RS256", kid="second"))
    else:
        assert await accepted(site, signed(site, EDWARDS, "Ed25519")), "the only key need not be named"


async def test_after_a_rotation_two_secrets_count_and_after_the_overlap_one(admin: AdminWorld) -> None:
    site = make_site(admin, "rotating")
    first, clock = site.secret, admin.clock
    before = clock.at
    second = admin.administration.widgets.rotate(OPERATOR, "rotating", overlap=dt.timedelta(days=1)).secret
    assert await accepted(site, site.token(secret=first))
    assert await accepted(site, site.token(secret=second))
    third = admin.administration.widgets.rotate(OPERATOR, "rotating", overlap=dt.timedelta(days=1)).secret
    assert not await accepted(site, site.token(secret=first)), "three never count"
    assert await accepted(site, site.token(secret=second))
    clock.pass_by(days=1)
    assert not await accepted(site, site.token(secret=second))
    assert await accepted(site, site.token(secret=third))
    clock.at = before


async def test_without_a_token_nobody_comes_in_where_people_sign_in(sites: dict[str, Site]) -> None:
    async with sites["hs"].browser() as page:
        told = await page.post(f"{BASE}/sessions", json={"client": "hs"})
    assert (told.status_code, told.json()["error"]["code"]) == (401, "identity_invalid")


def test_no_secret_lies_in_the_database(admin: AdminWorld, sites: dict[str, Site]) -> None:
    dump = admin.dump()
    assert b"widget_secrets" in dump
    assert (sites["hs"].secret or "").encode() not in dump
