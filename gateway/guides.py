"""The guides for integrators: Markdown files of ours, made into HTML that holds nothing but text, tables and links."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from gateway.errors import SettingsInvalid

PACKAGED: Final = Path(__file__).parent / "web" / "guides"
"""Where a wheel has them."""
WRITTEN: Final = Path(__file__).resolve().parents[1] / "docs" / "guides"
ORDER: Final = (
    "quick-start",
    "typescript",
    "embed",
    "identity",
    "streaming",
    "errors",
    "limits",
    "webhooks",
    "changelog",
)
"""Names of the guides, as they are listed."""

_TAGS: Final = frozenset(
    {
        *("a", "blockquote", "br", "code", "del", "div", "em", "h2", "h3", "h4", "hr", "li", "ol", "p", "pre"),
        *("strong", "table", "tbody", "td", "th", "thead", "tr", "ul"),
    }
)
_ATTRIBUTES: Final = {
    "a": {"href"},
    "code": {"class"},
    "div": {"class", "tabindex"},
    "h2": {"id"},
    "h3": {"id"},
    "pre": {"tabindex"},
}
_SCHEMES: Final = frozenset({"https", "http", "mailto"})
_GUIDE = re.compile(r"([a-z-]+)\.md(#[a-z0-9-]+)?")
_NOT_IN_ANCHORS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a guide that a link leads to."""

    title: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Guide:
    """One guide, ready to be shown."""

    name: str
    title: str
    summary: str
    parts: tuple[Part, ...]
    html: str


@cache
def load_guides() -> dict[str, Guide]:
    """Returns the guides by name, in their order. Raises `SettingsInvalid` where one is missing: this is a bug."""
    folder = PACKAGED if PACKAGED.is_dir() else WRITTEN
    try:
        return {name: read_guide(name, (folder / f"{name}.md").read_text(encoding="utf-8")) for name in ORDER}
    except OSError as error:
        raise SettingsInvalid(f"a guide cannot be read in {folder}: {error.strerror}. This is a bug.") from error


def read_guide(name: str, text: str) -> Guide:
    """Makes a guide of its Markdown, which begins with its title (`# ...`) and a sentence that sums it up."""
    reader = _reader()
    tokens = reader.parse(text)
    if [one.type for one in tokens[:4:3]] != ["heading_open", "paragraph_open"] or tokens[0].tag != "h1":
        raise ValueError(f"the guide {name} does not begin with a title and a sentence. This is a bug.")
    title, summary = tokens[1].content, tokens[4]
    shown = reader.renderer.render([summary], reader.options, {})
    body = tokens[6:]
    parts = tuple(_anchored(body))
    for one in body:
        _lead_to_pages(one)
    html = reader.renderer.render(body, reader.options, {})
    return Guide(name, title, _cleaned(shown), parts, _cleaned(html))


def _reader() -> MarkdownIt:
    """Returns a parser that takes no HTML: what looks like it is text."""
    reader = MarkdownIt("js-default", {"html": False, "linkify": False, "typographer": False})
    reader.add_render_rule("table_open", _open_table)
    reader.add_render_rule("table_close", _close_table)
    reader.add_render_rule("fence", _fence)
    return reader


def _open_table(*_: object) -> str:
    return '<div class="scroll" tabindex="0"><table>\n'


def _close_table(*_: object) -> str:
    return "</table></div>\n"


def _fence(_: object, tokens: Sequence[Token], number: int, *__: object) -> str:
    """Renders a block of code, which can be reached by key where it is wider than the page."""
    language = _NOT_IN_ANCHORS.sub("", tokens[number].info.partition(" ")[0].lower())
    return (
        f'<pre tabindex="0"><code class="language-{language}">{nh3.clean_text(tokens[number].content)}</code></pre>\n'
    )


def _anchored(tokens: Sequence[Token]) -> Iterator[Part]:
    """Gives headings an id, and tells those of the second level."""
    for opened, inner in pairwise(tokens):
        if opened.type != "heading_open" or opened.tag not in {"h2", "h3"}:
            continue
        title = "".join(one.content for one in inner.children or ())
        anchor = _NOT_IN_ANCHORS.sub("-", title.lower()).strip("-")
        opened.attrSet("id", anchor)
        if opened.tag == "h2":
            yield Part(title, anchor)


def _lead_to_pages(token: Token) -> None:
    """Turns links between the files into links between the pages."""
    for one in token.children or ():
        if one.type == "link_open" and (found := _GUIDE.fullmatch(str(one.attrGet("href")))):
            one.attrSet("href", f"/docs/guides/{found[1]}{found[2] or ''}")


def _cleaned(html: str) -> str:
    """Returns HTML with nothing but what the lists above name, whatever a guide says."""
    return nh3.clean(html, tags=set(_TAGS), attributes=_ATTRIBUTES, url_schemes=set(_SCHEMES), link_rel="noopener")
