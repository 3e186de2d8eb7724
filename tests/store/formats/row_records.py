"""Records of every format as hypothesis makes them, and how a file of them is written and read back."""

import gzip
import json
from pathlib import Path

from hypothesis import strategies as st

from store.formats.reading import RowReader
from store.formats.registry import FORMATS
from store.formats.row_format import Container
from store.formats.writing import Written, encoded

WORDS = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
"""Any text at all, control characters and line ends too."""
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
EXTRA = st.dictionaries(WORDS.map(lambda name: f"x {name}"), VALUES, max_size=3)


def fields(**wanted):
    """Records with these fields in any order, and further ones."""

    def mixed(parts):
        record, extra, order = parts
        record = record | extra
        names = sorted(record)
        order.shuffle(names)
        return {name: record[name] for name in names}

    return st.tuples(st.fixed_dictionaries(wanted), EXTRA, st.randoms(use_true_random=False)).map(mixed)


def turns(names):
    return st.lists(fields(**{"from": st.sampled_from(names), "value": WORDS}), min_size=1, max_size=5)


TRANSCRIPT = st.lists(st.tuples(st.sampled_from(("Human", "Assistant")), WORDS), min_size=1, max_size=4).map(
    lambda said: "".join(f"\n\n{name}: {text}" for name, text in said)
)
MESSAGE = {"message_id": WORDS, "text": WORDS, "role": st.sampled_from(("prompter", "assistant")), "lang": WORDS}
TREE = st.recursive(
    fields(**MESSAGE, parent_id=st.none() | WORDS),
    lambda inner: fields(**MESSAGE, replies=st.lists(inner, max_size=3)),
    max_leaves=8,
)
SPEAKERS = ("human", "gpt", "user", "assistant", "system", "tool", "observation", "function_call", "bard")
RECORDS = {
    "dolly": fields(instruction=WORDS, context=WORDS | st.none(), response=WORDS, category=WORDS),
    "alpaca": fields(instruction=WORDS, input=WORDS, output=WORDS),
    "longform": fields(input=WORDS, output=WORDS, source=WORDS),
    "self-instruct": fields(
        id=WORDS,
        name=WORDS | st.none(),
        instruction=WORDS,
        instances=st.lists(fields(input=WORDS, output=WORDS), min_size=1, max_size=3),
        is_classification=st.booleans(),
    ),
    "sharegpt": fields(conversations=turns(SPEAKERS), id=VALUES)
    | fields(
        conversations=turns(SPEAKERS),
        chosen=fields(**{"from": st.just("gpt"), "value": WORDS}),
        rejected=fields(**{"from": st.just("gpt"), "value": WORDS}),
    ),
    "oasst": fields(message_tree_id=WORDS, tree_state=WORDS, prompt=TREE),
    "oasst-messages": TREE | fields(**MESSAGE, parent_id=st.none() | WORDS, message_tree_id=WORDS),
    "hh-rlhf": fields(chosen=TRANSCRIPT, rejected=TRANSCRIPT),
    "dpo": fields(prompt=WORDS, chosen=WORDS, rejected=WORDS),
}


def write(path: Path, records, *, container=Container.LINES, packed=False, indent=None):
    text = (
        json.dumps(records, indent=indent)
        if container is Container.LIST
        else "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    )
    data = text.encode()
    path.write_bytes(gzip.compress(data) if packed else data)
    return path


def read(path: Path, name: str, **more):
    """Returns the rows and the tally."""
    reader = RowReader(path, FORMATS[name], **more)
    return [placed.row for placed in reader], reader.tally


def said(rows, name: str):
    """Returns rows as records of a format, read by nothing of ours, and what became of them."""
    told = Written()
    data = b"".join(encoded(FORMATS[name], rows, told))
    if FORMATS[name].container is Container.LIST:
        return json.loads(data), told
    return [json.loads(line) for line in data.split(b"\n") if line], told


def ordered(records):
    """Records with the order of their names, which Python does not compare."""
    return json.dumps(records, ensure_ascii=False)
