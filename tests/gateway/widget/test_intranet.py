"""The example intranet: a real server on a port of its own, whose employee the gateway knows."""

import base64
import importlib.util
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.commands.intranet import intranet
from tests.widget_world import APPROVED, Site, ask, make_site

SITE = Path(__file__).parents[3] / "examples" / "intranet" / "server.py"
GATEWAY = "http://127.0.0.1:8080"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("example_intranet", SITE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def site(admin) -> Site:
    return make_site(admin, "intranet", origins=["http://127.0.0.1:8090"])


@pytest.fixture
def portal(example, site: Site) -> Iterator[str]:
    widget = example.plain_widget(GATEWAY, "intranet")
    with example.Portal(0, gateway=GATEWAY, client="intranet", secret=site.secret.encode(), widget=widget) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def fetch(address: str, **headers: str):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    asked = urllib.request.Request(address, headers=named)  # noqa: S310 - our own address
    return urllib.request.urlopen(asked, timeout=10)  # noqa: S310 - as above


@pytest.mark.anyio
async def test_the_employees_token_opens_the_widget(portal: str, site: Site, example, monkeypatch) -> None:
    monkeypatch.setattr(example.time, "time", site.admin.clock.at.timestamp)
    with fetch(f"{portal}/chat-token") as reply:
        token = reply.read().decode()
    async with site.browser() as page:
        session = await site.visit(page, token)
        told = await ask(page)
    assert session["name"] == "Ines Marlow"
    assert told.json()["text"] == APPROVED


def test_the_page_lets_in_its_own_files_and_the_gateways_alone(portal: str) -> None:
    with fetch(f"{portal}/") as reply:
        policy, page = reply.headers["content-security-policy"], reply.read().decode()
    assert f"script-src 'self' {GATEWAY}; connect-src 'self' {GATEWAY}; style-src 'self'; img-src 'self'" in policy
    assert policy.startswith("default-src 'none'")
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert f'<canongate-chat server="{GATEWAY}" client="intranet">' in page
    assert "<script>" not in page
    assert "style=" not in page
    for name in ("page.js", "page.css", "icon.svg"):
        with fetch(f"{portal}/{name}") as reply:
            assert reply.status == 200


def test_another_sites_page_gets_no_token(portal: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        fetch(f"{portal}/chat-token", sec_fetch_site="cross-site")
    assert refused.value.code == 403
    refused.value.close()


def test_a_taken_port_is_said_and_the_gateway_goes_on(portal: str, capsys: pytest.CaptureFixture[str]) -> None:
    port = int(portal.rpartition(":")[2])
    with intranet(GATEWAY, port=port, secret=b"secret"):
        told = capsys.readouterr().err
    assert f"port {port} cannot be used" in told
    assert "--intranet-port" in told


def test_the_demo_serves_it_and_ends_it(capsys: pytest.CaptureFixture[str]) -> None:
    with intranet(GATEWAY, port=0, secret=b"secret"):
        address = capsys.readouterr().err.strip().rpartition(" ")[2]
        with fetch(address) as reply:
            assert "canongate-chat" in reply.read().decode()
    with pytest.raises(urllib.error.URLError):
        fetch(address)
    with intranet(GATEWAY, port=0, secret=None):
        assert capsys.readouterr().err == ""


def test_it_signs_as_the_standard_has_it(example) -> None:
    header, claims, _ = example.sign({"sub": "ada"}, b"k").split(".")

    def plain(part: str):
        return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))

    assert (plain(header), plain(claims)) == ({"alg": "HS256", "typ": "JWT"}, {"sub": "ada"})
