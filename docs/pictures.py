"""Pictures of pages with few colours, so that they may lie in the repository."""

import shutil
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Page

COLOURS = 256
MOST_BYTES = 120_000
CHROMIUM = shutil.which("chromium-headless-shell") or "/usr/bin/chromium"
ARGUMENTS = ("--no-sandbox",)
PASSWORD = "seven quiet herons"  # noqa: S105 - of a store that lives for minutes
WAIT_MS = 300_000


def write_picture(page: "Page", path: Path) -> None:
    """Writes what the window shows as PNG or WebP, by the path's ending. Raises `SystemExit` above `MOST_BYTES`."""
    image = Image.open(BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    if path.suffix == ".webp":
        image.convert("RGB").save(path, lossless=True, quality=100, method=6)
    else:
        image.save(path, optimize=True)
    if path.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{path.name} has {path.stat().st_size} bytes, at most {MOST_BYTES} are wanted")


def scroll_to(page: "Page", selector: str, *, above: int = 24) -> None:
    """Scrolls until an element stands below so many pixels at the top of the window."""
    page.locator(selector).first.evaluate("one => one.scrollIntoView({block: 'start'})")
    page.mouse.wheel(0, -above)
    page.wait_for_timeout(150)


def set_up(page: "Page", address: str, token: str, name: str) -> None:
    """Sets a password with a one-time token, and signs in."""
    page.goto(f"{address}/admin/setup")
    page.fill("[name=token]", token)
    for field in ("password", "again"):
        page.fill(f"[name={field}]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/admin/sign-in")
    page.fill("[name=name]", name)
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/admin")
