"""Answers become nodes of a short list of kinds, whatever is in them."""

import json
import random

import pytest
from playwright.sync_api import expect

from tests.widget.stand_in import told
from tests.widget.widget_page import WidgetPage

pytestmark = pytest.mark.browser
ANSWERS = 5000
ALLOWED = {
    "A": {"href", "rel", "target"}, "BR": set(), "CODE": set(), "DIV": {"class", "tabindex"}, "EM": set(), "LI": set(),
    "OL": {"dir", "start"}, "P": {"dir"}, "PRE": {"dir", "tabindex"}, "STRONG": set(), "TABLE": {"dir"}, "TBODY": set(),
    "TD": {"scope"}, "TH": {"scope"}, "THEAD": set(), "TR": set(), "UL": {"dir"},
}  # fmt: skip
PIECES = [
    *("<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "![a](https://evil.test/x.png)", "<svg/onload=1>"),
    *("[x](javascript:alert(1))", '[x](https://a.test/?q="onclick=1)', "[x](data:text/html,x)", "[x]( vbscript:1)"),
    *(
        "[x](HTTPS://A.test)",
        "[x](//a.test)",
        "[x](java\nscript:1)",
        "[**bold**](http://b.test)",
        "[m](mailto:a@b.test)",
    ),
    *("<https://a.test>", "mailto:a@b.test", "https://a.test/x_y_z.", "<a href='//evil.test'>", "<style>*{}</style>"),
    *("**", "__", "*", "_", "`", "```", "~~~", "# ", "###### ", "- ", "1. ", "7) ", "  - ", "| a | b |", "|---|:-:|"),
    *("|", "\n", "\n\n", "\\", "<!--", "]]>", "&lt;", "&#x3c;", "[", "](", ")", "<b>", "{{x}}", "كلمات", "漢字"),
    *("\u202e", "\u0000", "words", " ", "    ", "\t", "\r\n"),
]
_SAFE = 'rel="noopener noreferrer nofollow" target="_blank"'
_IMAGE = "https://x.test/i.png"
_TABLE = (
    '<div class="table" tabindex="0"><table dir="auto"><thead><tr><th scope="col">a</th><th scope="col">b</th></tr>'
    "</thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table></div>"
)
_LISTS = '<ul dir="auto"><li>a</li><li>b<ol dir="auto"><li>c</li></ol></li></ul><p dir="auto">d</p>'
RENDER = """texts => {
  const kinds = {}, links = new Set();
  for (const node of window.rendered(texts)) {
    const names = kinds[node.tagName] ??= new Set();
    for (const one of node.attributes) names.add(one.name);
    if (node.href) links.add(new URL(node.href).protocol);
  }
  return [Object.fromEntries(Object.entries(kinds).map(([tag, names]) => [tag, [...names]])), [...links]];
}"""


def shown(widget: WidgetPage, text: str) -> str:
    """Gives an answer's words as markup."""
    widget.gateway.scripts["show"] = told(text=text)
    widget.opened().ask("show")
    expect(widget.last.locator(".tools")).to_be_visible()
    markup = widget.last.locator(".words").inner_html()
    return markup.partition("</span>")[2]


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("a **b** _c_ `d*`", '<p dir="auto">a <strong>b</strong> <em>c</em> <code>d*</code></p>'),
        ("## Head\ntext", '<p dir="auto"><strong>Head</strong></p><p dir="auto">text</p>'),
        ("***x*** snake_case_name 2*3*4", '<p dir="auto"><strong><em>x</em></strong> snake_case_name 2<em>3</em>4</p>'),
        ("- a\n- b\n  1. c\n\nd", _LISTS),
        ("4. a\n5. b", '<ol start="4" dir="auto"><li>a</li><li>b</li></ol>'),
        ("```py\n<b>\n```", '<pre dir="ltr" tabindex="0"><code>&lt;b&gt;</code></pre>'),
        (f"![a]({_IMAGE})", f'<p dir="auto">![a](<a href="{_IMAGE}" {_SAFE}>{_IMAGE}</a>)</p>'),
        ("[a](javascript:x) <b>", '<p dir="auto">[a](javascript:x) &lt;b&gt;</p>'),
        ("[a](mailto:b@c.test)", f'<p dir="auto"><a href="mailto:b@c.test" {_SAFE}>a</a></p>'),
        ("a|b\n|-|-|\n1|2", _TABLE),
    ],
)
def test_the_markdown_of_answers(widget: WidgetPage, text: str, markup: str) -> None:
    assert shown(widget, text) == markup


def test_a_long_answer_is_cut(widget: WidgetPage) -> None:
    assert len(shown(widget, "word " * 4000)) < 16_100


def test_five_thousand_answers_make_nothing_but_what_is_allowed(widget: WidgetPage) -> None:
    chance = random.Random(20260101)  # noqa: S311 - texts, no secret
    texts = ["".join(chance.choices(PIECES, k=chance.randrange(1, 40))) for _ in range(ANSWERS)]
    widget.visit()
    widget.page.evaluate("void customElements.whenDefined('canongate-chat')")
    # The renderer is reached through the module's own export, as bundled and minified.
    widget.page.evaluate(
        """async source => { const {render} = await import(source);
        window.rendered = texts => texts.flatMap(text => { const all = document.createElement("div");
            all.append(...render(text)); return [...all.querySelectorAll("*")] }); }""",
        f"{widget.host.server}/embed/v1/widget.js",
    )
    kinds, protocols = widget.page.evaluate(RENDER, texts)
    assert set(kinds) <= set(ALLOWED)
    assert {tag: names for tag, names in kinds.items() if not set(names) <= ALLOWED[tag]} == {}
    assert set(protocols) == {"http:", "https:", "mailto:"}
    assert set(kinds) >= {"A", "CODE", "EM", "LI", "OL", "PRE", "STRONG", "TABLE", "UL"}, json.dumps(kinds)
