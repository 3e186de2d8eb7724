"""Browsers without JavaScript on a gateway with a real database."""

from collections.abc import AsyncIterator, Callable

import pytest

from tests.administration import PASSWORD, AdminWorld
from tests.plain_browser import PlainBrowser


@pytest.fixture
def browser(admin: AdminWorld) -> PlainBrowser:
    return PlainBrowser(admin.browser())


@pytest.fixture
def signed_in(admin: AdminWorld) -> Callable[..., AsyncIterator[PlainBrowser]]:
    async def sign_in(name: str, *, language: str = "en") -> PlainBrowser:
        made = PlainBrowser(admin.browser())
        made.client.headers["accept-language"] = language
        await made.open("/admin/sign-in")
        await made.send("/admin/sign-in", name=name, password=PASSWORD)
        assert made.status in (200, 403), made.text
        return made

    return sign_in
