"""Sentences of an invented help desk, by a grammar: as many distinct ones as a large store holds, and paraphrases."""

import random
from collections.abc import Iterator

PHRASINGS_PER_PROMPT = 10


def _list(text: str) -> tuple[str, ...]:
    return tuple(" ".join(part.split()) for part in text.split(";"))


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    halves = (part.split(" / ") for part in _list(text))
    return tuple((said, otherwise) for said, otherwise in halves)


_ACTIONS = _pairs("""
    reset / set again from scratch; order / get hold of; return / hand back; replace / swap for another; report
    a problem with / complain about; cancel / call off; renew / extend for another term; share / let a colleague
    use; unlock / get back into; install / put on my machine; update / bring up to date; remove / get rid of;
    transfer / hand over to someone else; approve / sign off; track / see where things stand with; pay for /
    settle the cost of; claim back / be reimbursed for; change / make a different choice about; activate /
    switch on; suspend / put on hold; book / reserve; print / have on paper; archive / file away; restore /
    bring back; connect / hook up; disconnect / unplug; upgrade / move to a better; test / try out; label / put
    a name on; insure / have covered; repair / have fixed; borrow / take for a while; export / take out as a
    file; import / load from a file; rename / give another name to; configure / set up; request access to / be
    let into; give up / stop having; translate / have in another language; audit / have examined
""")
"""What people want to do, and how else they say it."""

_OBJECTS = _pairs("""
    a laptop / a notebook computer; my password / my login secret; a parking permit / a pass for the car park;
    my badge / my entry card; the VPN / the secure tunnel; a mailbox / an email account; a desk phone / a
    telephone for my table; a software licence / the right to use a program; my travel expenses / what my trip
    cost; a meeting room / a place to sit together; annual leave / holiday; sick leave / days off because of
    illness; a payslip / a salary statement; a company car / a car from work; a train ticket / a rail fare; a
    hotel stay / a night away; a purchase order / an order to a supplier; an invoice / a bill; a monitor / a
    screen; a docking station / the dock; a headset / headphones with a microphone; a keyboard / something to
    type on; the printer / the thing that prints; a shared folder / a common drive; a backup / a safety copy; a
    mailing list / a group address; a training course / a class; a certificate / proof of a course; a visitor
    pass / a card for my guest; a locker / a cupboard with a key; a standing desk / a table that goes up; an
    office chair / a seat; the coffee machine / the espresso maker; a bike lease / a bicycle through work; a
    pension plan / retirement savings; health cover / medical insurance; a childcare voucher / help with nursery
    fees; my bank details / my account number; my home address / where I live; my emergency contact / whom to
    call for me; a contract / an agreement; a reference letter / a letter for my next employer; a phone number /
    an extension; a database account / a login for the database; a test server / a machine to try things on; a
    domain name / a web address; a security token / the second factor; a courier parcel / a package; a
    translation / a text in another language; a warranty / a guarantee
""")
"""What it is about, and how else they say it."""

_PLACES = _list("""
    Leeds; Gdansk; Lisbon; Utrecht; Graz; Turku; Bergen; Cork; Lyon; Bologna; Leipzig; Aarhus; Ghent; Tartu;
    Brno; Porto; Malaga; Basel; Toledo; Dundee
""")
_CIRCUMSTANCES = (
    "",
    *_list("""
    for a contractor; for an intern; for my manager; while on parental leave; from home; at the weekend; before
    the deadline; after the reorganisation; during my notice period; for a customer; on a business trip; for the
    whole team; without a cost centre; in the first week; on a public holiday
"""),
)

_FRAMES = _list("""
    How do I {do} {it}{when}?; I want to {do} {it}{when}; Can I {do} {it}{when}?; What is the way to {do}
    {it}{when}?; Please help me {do} {it}{when}; Who can {do} {it}{when}?; Where do I go to {do} {it}{when}?; I
    need to {do} {it}{when} today; Is it possible to {do} {it}{when}?; Steps to {do} {it}{when}; {do}
    {it}{when}; What does it take to {do} {it}{when}?; Am I allowed to {do} {it}{when}?; Which form do I use to
    {do} {it}{when}?
""")
_OTHER_FRAMES = _list("""
    hi, could someone tell me how to {do} {it}{when}, thanks; trying to {do} {it}{when} but no idea where to
    start; my colleague said that I can {do} {it}{when}, is that right; what now if I have to {do} {it}{when};
    {when} I would like to {do} {it}, whom do I ask
""")
"""Frames that no row is made with."""


def rows(count: int, *, seed: int = 0) -> Iterator[tuple[str, str]]:
    """Gives `count` distinct sentences, each with the key of its prompt; ten to a prompt, the same for the same seed.

    A larger count begins with the sentences of a smaller one.
    """
    dice = random.Random(seed)  # noqa: S311 - reproducible, not secret
    for number, (action, thing, when) in zip(range(-(-count // PHRASINGS_PER_PROMPT)), _prompts(seed), strict=False):
        left = min(PHRASINGS_PER_PROMPT, count - number * PHRASINGS_PER_PROMPT)
        for frame in dice.sample(_FRAMES, PHRASINGS_PER_PROMPT)[:left]:
            yield _say(frame, action[0], thing[0], when), f"desk.p{number:06}"


def prompts(count: int, phrasings: int, *, seed: int = 0) -> Iterator[tuple[str, list[str]]]:
    """Gives `count` prompts by their keys, each with so many distinct phrasings (56 at most) in all words."""
    dice = random.Random(seed)  # noqa: S311 - as above
    forms = [(frame, do, it) for frame in _FRAMES for do in (0, 1) for it in (0, 1)]
    for number, (action, thing, when) in zip(range(count), _prompts(seed), strict=False):
        said = [_say(frame, action[do], thing[it], when) for frame, do, it in dice.sample(forms, phrasings)]
        yield f"desk.p{number:06}", said


def questions(count: int, prompts: int, *, seed: int = 0) -> list[tuple[str, str]]:
    """Returns paraphrases of the first `prompts` prompts in frames, and half of them in words, that no row has."""
    dice = random.Random(seed + 1)  # noqa: S311 - as above
    known = [parts for _, parts in zip(range(prompts), _prompts(seed), strict=False)]
    asked = []
    for _ in range(count):
        number = dice.randrange(len(known))
        action, thing, when = known[number]
        other = dice.randrange(3)  # 0: other words for the action, 1: for the thing, 2: for neither
        text = _say(dice.choice(_OTHER_FRAMES), action[other == 0], thing[other == 1], when)
        asked.append((text, f"desk.p{number:06}"))
    return asked


def _prompts(seed: int) -> Iterator[tuple[tuple[str, str], tuple[str, str], str]]:
    """Gives every combination once, in an order that looks random but needs no list of them."""
    sizes = (len(_ACTIONS), len(_OBJECTS), len(_PLACES) + 1, len(_CIRCUMSTANCES))
    total = sizes[0] * sizes[1] * sizes[2] * sizes[3]
    step = 433_494_437  # a prime that divides no size: every number below the total comes up once
    for number in range(total):
        left, when = divmod((number * step + seed) % total, sizes[3])
        left, where = divmod(left, sizes[2])
        action, thing = divmod(left, sizes[1])
        place = f" in {_PLACES[where - 1]}" if where else ""
        yield _ACTIONS[action], _OBJECTS[thing], f"{f' {_CIRCUMSTANCES[when]}' if when else ''}{place}"


def _say(frame: str, action: str, thing: str, when: str) -> str:
    return frame.format(do=action, it=thing, when=when).strip()
