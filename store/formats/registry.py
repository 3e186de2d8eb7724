"""The formats of rows, by name."""

from collections.abc import Mapping
from typing import Final

from store.errors import InvalidContent
from store.formats import (
    alpaca,
    csv_rows,
    dolly,
    dpo,
    hh_rlhf,
    longform,
    oasst,
    self_instruct,
    sharegpt,
)
from store.formats.row_format import Container, RowFormat

_OWN = "your own"
_ANSWER = "each phrasing with the approved answer"

_ALL: Final = (
    RowFormat(
        name=csv_rows.NAME,
        title="CSV of instructions",
        container=Container.CSV,
        fields=", ".join(csv_rows.COLUMNS),
        keeps=f"{_ANSWER}, facts, key, title, area and language",
        licence=_OWN,
        parse=csv_rows.parse,
        compose=csv_rows.compose,
    ),
    RowFormat(
        name=dolly.NAME,
        title="databricks-dolly-15k",
        container=Container.LINES,
        fields="instruction, context, response, category",
        keeps=f"{_ANSWER}, facts as context, area as category",
        licence="CC BY-SA 3.0",
        parse=dolly.parse,
        compose=dolly.compose,
    ),
    RowFormat(
        name=alpaca.NAME,
        title="Alpaca",
        container=Container.LIST,
        fields="instruction, input, output",
        keeps=f"{_ANSWER}, facts as input",
        licence="CC BY-NC 4.0: no commercial use",
        parse=alpaca.parse,
        compose=alpaca.compose,
    ),
    RowFormat(
        name=longform.NAME,
        title="LongForm",
        container=Container.LINES,
        fields="input, output, source",
        keeps=f"{_ANSWER}; the key as source",
        licence="MIT for the parts of its own; each source has its own licence",
        parse=longform.parse,
        compose=longform.compose,
    ),
    RowFormat(
        name=self_instruct.NAME,
        title="Self-Instruct tasks",
        container=Container.LINES,
        fields="id, name, instruction, instances of input and output, is_classification",
        keeps=f"{_ANSWER}, facts as input, key as id, title as name",
        licence="Apache-2.0",
        parse=self_instruct.parse,
        compose=self_instruct.compose,
    ),
    RowFormat(
        name=sharegpt.NAME,
        title="ShareGPT conversations",
        container=Container.LIST,
        fields="id, conversations of from and value; or also chosen and rejected",
        keeps=f"{_ANSWER} as a conversation of two turns, key as id",
        licence="different for each collection, often none",
        parse=sharegpt.parse,
        compose=sharegpt.compose,
    ),
    RowFormat(
        name=oasst.TREES,
        title="OASST1 message trees",
        container=Container.LINES,
        fields="message_tree_id, tree_state, prompt with its replies inside",
        keeps=f"{_ANSWER} as a tree of two messages, language",
        licence="Apache-2.0",
        parse=oasst.parse_tree,
        compose=oasst.compose_tree,
    ),
    RowFormat(
        name=oasst.MESSAGES,
        title="OASST1 messages",
        container=Container.LINES,
        fields="message_id, parent_id, message_tree_id, text, role, lang and more",
        keeps=f"{_ANSWER} as two messages, language",
        licence="Apache-2.0",
        parse=oasst.parse_message,
        compose=oasst.compose_messages,
        gather=oasst.gathered,
    ),
    RowFormat(
        name=hh_rlhf.NAME,
        title="HH-RLHF preferences",
        container=Container.LINES,
        fields="chosen, rejected: transcripts of Human: and Assistant: turns",
        keeps="nothing of prompts: a preference needs two answers, so it comes from feedback",
        licence="MIT",
        parse=hh_rlhf.parse,
        compose=hh_rlhf.compose,
    ),
    RowFormat(
        name=dpo.NAME,
        title="DPO preferences",
        container=Container.LINES,
        fields="prompt, chosen, rejected",
        keeps="nothing of prompts: a preference needs two answers, so it comes from feedback",
        licence=_OWN,
        parse=dpo.parse,
        compose=dpo.compose,
    ),
)

FORMATS: Final[Mapping[str, RowFormat]] = {one.name: one for one in _ALL}


def format_named(name: str) -> RowFormat:
    """Returns the format. Raises `InvalidContent`, which lists those that there are."""
    if name not in FORMATS:
        raise InvalidContent(f"there is no such format. Formats: {', '.join(FORMATS)}.")
    return FORMATS[name]
