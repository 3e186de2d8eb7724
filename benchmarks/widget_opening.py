"""Measures in Chromium how long the chat widget takes from the press of its button to an input that has the focus.

The page is of another origin under a strict policy; the gateway is the tests' stand-in, so that figures are the
widget's own. `open` ends when the input has the focus, `paint` with the frame that shows it. The first opening of each
page is measured, on as many pages as there are rounds. `render` is how long answers of 16,000 characters, the longest
that are shown, take to become nodes, each of them of marks that are hard to read.
"""

import argparse
import json
import statistics
import sys

from playwright.sync_api import Page, sync_playwright

from tests.real_browser import served, start
from tests.widget.host_page import HostPage
from tests.widget.stand_in import DIST, StandIn

_PRESS = """async element => {
  const frame = () => new Promise(done => requestAnimationFrame(done));
  const began = performance.now();
  element.shadowRoot.querySelector(".launcher").click();
  const isFocused = element.shadowRoot.activeElement?.tagName === "TEXTAREA";
  const open = performance.now() - began;
  await frame();
  await frame();
  return [isFocused, open, performance.now() - began];
}"""

_LONGEST = 16_000
_HARD = ("*", "_a ", "[", "[a](", "`a``b", "**a *b ", "- ", "|", "a|b\n-|-\n", "https://a.test/. ", "\\", "word\n")
_RENDER = """async ([source, texts]) => {
  const { render } = await import(source);
  return texts.map(text => { const began = performance.now(); render(text); return performance.now() - began; });
}"""


def main() -> None:
    """Prints medians and the slowest; exit status 1 when the slowest paint is over the bound."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python -m benchmarks.widget_opening --rounds 20 --json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=20, help="pages that are opened, one after the other")
    parser.add_argument("--slower", type=int, default=1, help="how many times slower the processor is made to seem")
    parser.add_argument("--bound-ms", type=float, default=100.0, help="what the slowest opening may take, painted")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    if not (DIST / "widget.js").exists():
        raise SystemExit("the widget was not built. Run `make setup`.")
    figures = measure(chosen.rounds, chosen.slower)
    if chosen.json:
        print(json.dumps({"rounds": chosen.rounds, "slower": chosen.slower, "ms": figures}, indent=2))
    else:
        for name, found in figures.items():
            print(f"{name:<8} p50 {found['p50']:6.1f} ms   slowest {found['slowest']:6.1f} ms")
    sys.exit(figures["paint"]["slowest"] > chosen.bound_ms)


def measure(rounds: int, slower: int) -> dict[str, dict[str, float]]:
    """Returns the median and the slowest of each figure in milliseconds."""
    host = HostPage()
    with served(StandIn()) as gateway, served(host) as address, sync_playwright() as playwright:
        host.server = gateway
        host.embed()
        browser = start(playwright)
        opened = [_open(browser.new_page(), address, slower) for _ in range(rounds)]
        page = browser.new_page()
        page.goto(address)
        hard = [(mark * _LONGEST)[:_LONGEST] for mark in _HARD]
        rendered = page.evaluate(_RENDER, [f"{gateway}/embed/v1/widget.js", hard])
        browser.close()
    named = (*zip(("open", "paint"), zip(*opened, strict=True), strict=True), ("render", rendered))
    return {name: {"p50": round(statistics.median(found), 1), "slowest": round(max(found), 1)} for name, found in named}


def _open(page: Page, address: str, slower: int) -> tuple[float, float]:
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
    with page.expect_response("**/widget/v1/clients/*"):
        page.goto(address)
    element = page.locator("canongate-chat")
    element.locator(".root").wait_for(state="attached")
    page.wait_for_timeout(100)
    is_focused, opened, painted = element.evaluate(_PRESS)
    page.close()
    if not is_focused:
        raise SystemExit("the input did not have the focus")
    return opened, painted


if __name__ == "__main__":
    main()
