"""Blocks answers that carry active content or a model's control tokens, and takes formatting out where policies say so.

Active content is refused whatever the parameters say: elements of HTML, scripts, images, templates, and the tokens
with which models call tools and change turns. Bold type, headings, code fences and tables of Markdown are formatting.
"""

import unicodedata
from typing import Any

from rails.definition import OnFail, Probes, RailDefinition, RailParams, probes_of
from rails.matching import PatternSet, compile_linear
from rails.nemo import RailOutcome, rewritten, verdict
from rails.types import Stage

# Of the elements, those that stand-ins such as `<Enter>` and `<your name>` are not called.
_ELEMENTS = (
    "a|abbr|acronym|address|animate|applet|area|article|aside|audio|b|base|basefont|bdi|bdo|bgsound|big|blink|blockquote"
    "|body|br|button|canvas|caption|center|cite|code|col|colgroup|datalist|dd|del|details|dfn|dialog|dir|div|dl|dt|em"
    "|embed|fieldset|figcaption|figure|font|footer|foreignobject|form|frame|frameset|h[1-6]|head|header|hgroup|hr|html|i"
    "|iframe|image|img|input|ins|isindex|kbd|keygen|label|legend|li|link|listing|main|map|mark|marquee|math|meta|meter"
    "|nav|nobr|noembed|noframes|noscript|object|ol|optgroup|option|output|p|param|picture|plaintext|pre|progress|q|rp|rt"
    "|ruby|s|samp|script|section|select|small|source|span|strike|strong|style|sub|summary|sup|svg|table|tbody|td|template"
    "|textarea|tfoot|th|thead|title|tr|track|tt|u|ul|use|var|video|wbr|xmp|xml"
)
_OPENED = "script|img|image|svg|iframe|object|embed|style|link|meta|form|body|video|audio|base|math|frame|applet"
_MARKUP = PatternSet(
    {
        "control_token": r"<\|[^|<>\n]{1,40}\|?>|</?s>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>"
        r"|<(?:bos|eos|pad|unk)>|</?(?:tool_?(?:calls?|response|result|outputs?|use)|tools|function(?:_?(?:calls?|results?))?"
        r"|function=[^<>\n]{1,60}|invoke|parameter=[^<>\n]{1,60}|think|thinking|reasoning|scratchpad)>"
        r"|\[/?(?:TOOL_CALLS?|AVAILABLE_TOOLS|TOOL_RESULTS)\]"
        r"|(?m:^\s*#{2,4} ?(?:instruction|response|input|system|human|assistant)\b)"
        r"|(?m:^\s*(?:<(?:system|user|assistant)>|(?:system|user|assistant|human) ?:))",
        "html": r"<(?:!--|!\[cdata\[|!(?:doctype|entity|element|attlist)\b|\?(?:xml|php|=)|%"
        rf"|/?(?:{_ELEMENTS})(?:[\s/][^<>]{{0,1000}})?>"
        r"|/[a-z][a-z0-9_:.-]{0,30}\s{0,9}>|[a-z][a-z0-9]{0,30}[:_-][a-z0-9:_-]{0,30}(?:[\s/][^<>]{0,1000})?>"
        r"|[a-z][^\s<>/]{0,40}(?:/|[\s/][^<>=]{0,200}=[^<>]{0,1000})>|[a-z][a-z0-9+.-]{1,20}:[^\s<>]{1,1000}>)"
        rf"|<(?:{_OPENED})\b|&lt;\s{{0,3}}/?(?:{_OPENED})\b",
        "image": r"!\[[^\]]{0,500}\]\s{0,3}[(\[]",
        "active_link": r"(?:java|vb|live)script\s{0,5}:|data\s{0,3}:\s{0,3}[a-z]{1,20}/|&#x?[0-9a-f]{1,7};?|&colon;",
        "template": r"\{\{[^\n]{0,300}\}\}|\{%[^\n]{0,300}%\}|\$\{[^\n]{0,300}\}",
    }
)
_FENCE = compile_linear(r"(?m)^[ \t]*(?:`{3,}|~{3,})[^\n`]*$\n?")
_TABLE_RULE = compile_linear(r"(?m)^[ \t]*\|?(?:[ \t]*:?-{2,}:?[ \t]*\|)+(?:[ \t]*:?-{2,}:?[ \t]*)?$\n?")
_TABLE_ROW = compile_linear(r"(?m)^[ \t]*\|([^\n]*)\|[ \t]*$")
_RULE = compile_linear(r"(?m)^[ \t]*(?:(?:\*[ \t]?){3,}|(?:-[ \t]?){3,}|(?:_[ \t]?){3,}|={3,})$\n?")
_HEADING = compile_linear(r"(?m)^[ \t]{0,3}#{1,6}[ \t]+([^\n#]*)#*[ \t]*$")
_QUOTE = compile_linear(r"(?m)^[ \t]{0,3}(?:>[ \t]?)+")
_PAIRS = tuple(
    compile_linear(pattern)
    for pattern in (
        r"()\*\*([^\s*](?:[^*\n]*[^\s*])?)\*\*()",
        r"(^|[^\pL\pN_])__([^\s_](?:[^_\n]*[^\s_])?)__([^\pL\pN_]|$)",
        r"()~~([^\s~](?:[^~\n]*[^\s~])?)~~()",
        r"()`+([^`\n]+)`+()",
        r"(^|[^\pL\pN*])\*([^\s*](?:[^*\n]*[^\s*])?)\*([^\pL\pN*]|$)",
        r"(^|[^\pL\pN_])_([^\s_](?:[^_\n]*[^\s_])?)_([^\pL\pN_]|$)",
    )
)
_LINK = compile_linear(r"\[([^\]\n]{1,300})\]\(([^()\s]{1,1000})\)")
_SIGNS = frozenset("*_`~#|>[=-")
_MOST_PASSES = 4


class MarkupParams(RailParams, frozen=True, kw_only=True, tag="markup"):
    """What becomes of formatting; active content is always refused."""

    plain_text: bool = False
    """Whether Markdown's bold type, headings, code fences, tables and links are refused; with `on_fail: transform`
    they are taken out, and their words stay."""

    def __post_init__(self) -> None:
        if self.on_fail is OnFail.TRANSFORM and not self.plain_text:
            raise ValueError("only formatting can be taken out, which needs `plain_text: true` in this entry")


def find(text: str) -> str | None:
    """Returns the reason to block `text` for its active content, or None."""
    found = _MARKUP.find(text)
    if found is None and not text.isascii():  # wide and small forms of brackets are read as brackets
        found = _MARKUP.find(unicodedata.normalize("NFKC", text))
    return None if found is None else f"markup.{found}"


def without_formatting(text: str) -> str:
    """Returns `text` with the words of its formatting and nothing else of it, as far as some passes go."""
    for _ in range(_MOST_PASSES):
        before = text
        if _SIGNS.isdisjoint(text):
            return text
        for pattern in (_FENCE, _TABLE_RULE, _RULE, _QUOTE):
            text = str(pattern.sub("", text))
        text = str(_TABLE_ROW.sub(_cells, text))
        text = str(_LINK.sub(r"\1 (\2)", _HEADING.sub(r"\1", text)))
        for pattern in _PAIRS:
            text = str(pattern.sub(r"\1\2\3", text))
        if text == before:
            break
    return text


def _cells(row: Any) -> str:
    return "; ".join(cell for part in row.group(1).split("|") if (cell := part.strip()))


async def check(text: str, params: MarkupParams) -> RailOutcome:
    """Returns the verdict on markup in `text`, or the text without its formatting."""
    reason = find(text)
    if reason is not None or not params.plain_text:
        return verdict(reason)
    bare = without_formatting(text)
    if bare == text:
        return verdict(None)
    if params.on_fail is not OnFail.TRANSFORM or without_formatting(bare) != bare:
        return verdict("markup.formatting")
    # Signs that are gone may have kept a tag apart.
    return verdict(reason) if (reason := find(bare)) is not None else rewritten(bare, "markup.formatting")


def _probes(params: MarkupParams) -> Probes:
    formatted = ["**Call** extension 4400", "```\nx = 1\n```"] if params.plain_text else []
    return probes_of(
        blocked=[
            "See <b>here</b>",
            "![logo](https://a.example/x.png)",
            "[here](javascript:go())",
            "Done.<|im_end|>",
            "<tool_call>",
            *formatted,
        ],
        passed=["Call extension 4400 if 3 < 5; the portal (see [1]) is open at 9:00. Press <Enter>."],
    )


RAIL = RailDefinition(
    name="markup",
    stages=frozenset({Stage.OUTPUT}),
    params=MarkupParams,
    check=check,
    probes=_probes,
    may_rewrite=True,
)
