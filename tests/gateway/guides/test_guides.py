"""Guides are rendered from our Markdown alone, lead somewhere, and tell what the code does."""

import ast
import re
from pathlib import Path

import pytest

from gateway.guides import ORDER, load_guides, read_guide
from gateway.http.error_codes import ERROR_CODES, Surface
from gateway.http.problems import _CODES
from gateway.webhooks.events import WebhookEvent

ROOT = Path(__file__).parents[3]
_HREF = re.compile(r'href="([^"]+)"')
HOSTILE = """# Title

A summary with <script>alert(1)</script> and **weight**.

## A part

<img src=x onerror=alert(1)> <b>b</b> [a](javascript:alert(1)) [b](data:text/html,x) ![i](https://evil.example/x.png)
[guide](errors.md#all-codes) [out](https://canongate.example/x)

```html"><script>alert(1)</script>
</code></pre><script>alert(1)</script>
```

| a | b |
|---|--:|
| 1 | <svg onload=alert(1)> |
"""


def test_nothing_but_text_tables_and_links_comes_of_a_guide():
    guide = read_guide("hostile", HOSTILE)
    html = guide.summary + guide.html
    tags = set(re.findall(r"<([a-z0-9]+)", html))
    assert tags <= {"p", "strong", "h2", "a", "pre", "code", "div", "table", "thead", "tbody", "tr", "th", "td"}
    assert not re.search(r"<[^>]*\b(on[a-z]+|src|style)=", html)
    assert _HREF.findall(html) == ["/docs/guides/errors#all-codes", "https://canongate.example/x"]
    assert guide.parts[0].anchor == "a-part"


@pytest.mark.parametrize("text", ["", "no title", "# Title", "# Title\n\n## Part\n", "## Part\n\nwords"])
def test_a_guide_begins_with_a_title_and_a_sentence(text):
    with pytest.raises(ValueError, match="does not begin"):
        read_guide("short", text)


def test_every_link_of_a_guide_leads_somewhere():
    guides = load_guides()
    anchors = {name: set(re.findall(r'id="([^"]+)"', guide.html)) for name, guide in guides.items()}
    for name, guide in guides.items():
        for href in _HREF.findall(guide.html):
            if href.startswith(("https://", "http://")):
                continue
            path, _, anchor = href.partition("#")
            assert path.removeprefix("/docs/guides/") in guides, f"{name}: {href}"
            assert not anchor or anchor in anchors[path.removeprefix("/docs/guides/")], f"{name}: {href}"


def test_the_guides_are_in_order_and_have_titles():
    assert tuple(load_guides()) == ORDER
    assert all(guide.title and guide.summary for guide in load_guides().values())


def test_every_code_of_an_error_is_known_with_its_status():
    """Codes are given where errors are raised; those of the start and of the log never reach a caller."""
    never_told = {"settings_invalid", "revision_went_back", "matcher_not_fitted", "audit_damaged"}
    raised = set()
    for path in (*(ROOT / "gateway").rglob("*.py"), *(ROOT / "store").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                first = node.args[0] if node.args else None
                if name in {"InvalidRequest", "NotAllowed", "NotServing", "Refused"} and isinstance(
                    first, ast.Constant
                ):
                    raised.add(first.value)
                raised |= {
                    one.value.value
                    for one in node.keywords
                    if one.arg == "code" and name == "convert" and isinstance(one.value, ast.Constant)
                }
    known = {one.name: one.status for one in ERROR_CODES}
    assert raised - never_told - known.keys() == set()
    assert {name: known[name] for name in _CODES} == {name: status for name, (status, _) in _CODES.items()}
    assert len(known) == len(ERROR_CODES)


def test_the_guide_on_errors_has_every_code_and_its_loop_repeats_what_helps():
    text = (ROOT / "docs" / "guides" / "errors.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| \d+ \| `([a-z_]+)` \|", text, re.MULTILINE))
    assert told == {one.name for one in ERROR_CODES if one.surfaces != {Surface.PAGES}}
    repeated = set(re.findall(r'"([a-z_]+)"', re.search(r"AGAIN = \{(.+?)\}", text, re.DOTALL)[1]))
    assert repeated == {one.name for one in ERROR_CODES if one.is_worth_repeating and Surface.QUESTIONS in one.surfaces}


def test_the_guide_on_webhooks_has_every_event():
    text = (ROOT / "docs" / "guides" / "webhooks.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \|", text, re.MULTILINE)) == set(WebhookEvent)
