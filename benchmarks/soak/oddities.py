"""Settings that no sound caller sends, and grammars that are nonsense, endless, deep or explosive."""

import math
from collections.abc import Callable
from random import Random
from typing import Any

NAN, INF = math.nan, math.inf
WRONG: dict[str, tuple[Any, ...]] = {
    "max_tokens": (0, -1, 513, 2**31, 2**63, 2**70, 1.5, 8.0, True, None, "5", NAN, INF, -INF, (8,)),
    "temperature": (NAN, INF, -INF, -0.1, -1e-300, 2.0001, 1e308, 1e-40, 5e-324, True, "0", None, 10**400, (0.5,)),
    "top_p": (0.0, -0.0, NAN, INF, -INF, 1.0000001, -1.0, 1e308, True, "1", None, 2, 10**400),
    "seed": (-1, 2**32, 2**64, -(2**63), 10**400, 1.0, True, None, NAN, "7"),
    "stop": (
        *(("a",) * 5, ("",), ("a" * 65,), ("\ud800",), "abc", ["a"], (1,), (None,), None, (b"a",), ("a",) * 100_000),
        *({"a": 1}, (("a",),), ("ok", ""), ("ok", "x" * 10_000)),
    ),
    "grammar": ("a" * 4097, 'root ::= "a"\0', 'root ::= "\ud800"', None, b'root ::= "a"', 1, ("root",), "x" * 10**6),
}
RIGHT: dict[str, tuple[Any, ...]] = {
    "max_tokens": (1, 2, 3, 16),
    "temperature": (0.0, -0.0, 0, 1, 2, 1e-9, 1e-3, 0.5, 2.0),
    "top_p": (1.0, 1, 5e-324, 1e-45, 1e-9, 0.5, 0.999999999),
    "seed": (0, 1, 2**31, 2**32 - 1, 2**32 - 2),
    "stop": ((), ("\n",), ("\0",), ("\U0001f389", "\u00e9"), ("x" * 64,) * 4, ("\ufffd",), ("e", "a", "o", " ")),
}
FORMS = {
    'root ::= "yes" | "no"': r"yes|no",
    'root ::= [0-9]{2} ":" [0-9]{2}': r"[0-9]{2}:[0-9]{2}",
    'root ::= word (", " word){2}\nword ::= [a-z]{3,5}': r"[a-z]{3,5}(, [a-z]{3,5}){2}",
    'root ::= "caf\u00e9" | "\u00fcber" [\u4e00-\u9fff]': "caf\u00e9|\u00fcber[\u4e00-\u9fff]",
    'root ::= "{\\"open\\": " ("true" | "false") "}"': r'\{"open": (true|false)\}',
}
"""Grammars, and what an answer that is whole looks like."""


def wrong(random: Random) -> dict[str, Any]:
    """Returns settings of which one at least is out of range."""
    names = random.sample(list(WRONG), random.choice((1, 1, 1, 2, 3)))
    return right(random) | {name: random.choice(WRONG[name]) for name in names}


def right(random: Random) -> dict[str, Any]:
    """Returns settings at the edge of what is allowed."""
    return {name: random.choice(values) for name, values in RIGHT.items()}


def grammar(random: Random) -> str:
    """Returns a grammar that a model should not be asked to follow; some may be followed all the same."""
    return random.choice((*HOSTILE, _noise, _broken))(random)


def _noise(random: Random) -> str:
    return "".join(random.choices('root ::="abc"|*+?(){}[]^-\\.\n01239<>#x', k=random.randrange(1, 400)))


def _broken(random: Random) -> str:
    text = list(random.choice(list(FORMS)))
    for _ in range(random.randrange(1, 6)):
        text[random.randrange(len(text))] = random.choice('"|*+?(){}[]^-\\.\n<>')
    return "".join(text)


def _fixed(text: str) -> Callable[[Random], str]:
    return lambda _random: text


HOSTILE: tuple[Callable[[Random], str], ...] = (
    lambda random: "root ::= " + "(" * (n := random.randrange(1, 2000)) + '"a"' + ")" * n,
    lambda random: "root ::= " + "(" * random.randrange(1, 4000),
    lambda random: "root ::= " + " ".join(["[a-z]?"] * random.randrange(10, 550)),
    lambda random: "root ::= (" + "|".join(['"a"*'] * random.randrange(10, 600)) + ")*",
    lambda random: "root ::= " + " ".join(['("a" | "ab" | [a-z]*)'] * random.randrange(5, 150)),
    lambda random: f'root ::= ("a"?){{{random.randrange(10, 2000)}}}',
    lambda random: "root ::= " + "(" * (n := random.randrange(2, 6)) + '"a"' + f"){{{random.randrange(20, 90)}}}" * n,
    lambda random: _doubling(random.randrange(5, 60), " ", '"x"?'),
    lambda random: _doubling(random.randrange(5, 60), " | ", '"x"'),
    lambda random: "root ::= (" + "s " * random.randrange(2, 20) + ")*\ns ::= ([a-z]? [a-z]? [a-z]?)*",
    lambda random: f"root ::= ([a-z]* [a-z ]* [a-y]){{{random.randrange(2, 30)}}}",
    lambda random: f"root ::= [ab]* [a] [ab]{{{random.randrange(5, 60)}}}",
    lambda random: f'root ::= "a"{{{random.choice((0, 1999, 2001, 10**6, 10**30))}}}',
    *map(
        _fixed,
        (
            'root ::= root "a" | "a"',
            'root ::= b\nb ::= root "x" | "y"',
            'root ::= "a" root | root root',
            "root ::= root",
            "root ::= missing",
            "root ::= a\na ::= b\nb ::= a?",
            'boot ::= "a"',
            'root ::= ""',
            "root ::=",
            "root ::= [^\\x00-\\U0010FFFF]",
            "root ::= <[99999999]>",
            "root ::= <[1000]> | !<[0]>*",
            'root ::= "\\U0011FFFF"',
            'root ::= "\\xZZ"',
            'root ::= "abc',
            "root ::= [abc",
            'root ::= "a"{5,2}',
            'root ::= "a"{-1}',
            'root ::= "a"{,}',
            "root ::= [z-a]",
            "root ::= (((" * 300,
            "\n" * 4000,
            "root ::= .*",
            "root ::= ((.*)*)*",
            "\U0001f389" * 1000,
        ),
    ),
)


def _doubling(depth: int, between: str, last: str) -> str:
    rules = [f"a{at} ::= a{at + 1}{between}a{at + 1}" for at in range(depth)]
    return "\n".join(["root ::= a0", *rules, f"a{depth} ::= {last}"])
