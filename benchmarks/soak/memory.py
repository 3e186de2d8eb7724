"""Memory over thousands of short requests: of the worker, and of the process that asks."""

import dataclasses

from benchmarks.soak.asking import Choice, Figures, Outcome, ask, new_model, progress, prompt, resident_mib, together
from models.ports import Sampling
from models.worker.engine import LlamaModel

WHOLE = 5000
EARLY = 500
"""By then everything has its size: each of the 70 approved prompts was asked, and every kind of batch computed."""
LEAST = 300
AT_ONCE = 8
TIMEOUT_S = 60.0
MOST_MIB = 10.0
NAMES = ("Alice", "Bob", "Carlotta de Sousa", "D\u00f6rte", "Emeka", "\u6797\u6728")
THINGS = ("laptop", "badge", "parking card", "chair", "screen", "phone", "key", "printer", "locker", "headset")
PLACES = ("Lisbon", "Porto", "Berlin", "Lagos", "Oslo", "Seoul", "Quito")
INSTRUCTIONS = "You are the help desk of the {} office. Answer in one short sentence and invent nothing."


def run(choice: Choice) -> Figures:
    """Returns the figures of this part."""
    whole = choice.count(WHOLE)
    early = max(choice.count(EARLY), min(LEAST, whole // 2))
    model = new_model(choice)
    names: dict[str, int] = {}
    hangs, say = 0, progress("memory", whole)
    try:
        pid, sizes = model.pid, dict[str, dict[int, float]](worker={}, caller={})
        done = 0
        while done < whole:
            # In stretches, so that what this benchmark keeps of them is no part of the figure.
            until = min(whole, early if done < early else done + 250)
            crowd = together([_Asking(model, number) for number in range(done, until)], AT_ONCE, TIMEOUT_S)
            hangs += crowd.hangs
            names = {name: names.get(name, 0) + crowd.names.get(name, 0) for name in {*names, *crowd.names}}
            done = until
            sizes["worker"][done], sizes["caller"][done] = resident_mib(pid), resident_mib(None)
            say(done)
        restarts = int(model.pid != pid)
    finally:
        model.close()
    grown = {name: round(size[whole] - size[early], 1) for name, size in sizes.items()}
    return {
        "requests": whole,
        "outcomes": names,
        "hangs": hangs,
        "worker_restarts": restarts,
        "resident_mib": {name: {at: round(mib, 1) for at, mib in size.items()} for name, size in sizes.items()},
        f"grown_mib_from_{early}_to_{whole}": grown,
        "holds": not (hangs or restarts) and set(names) == {"answer"} and max(grown.values()) <= MOST_MIB,
    }


@dataclasses.dataclass(frozen=True)
class _Asking:
    """One request, of one of two assistants; every second one has a slot value that no other has."""

    model: LlamaModel
    number: int

    def __call__(self) -> Outcome:
        has_slot = self.number // 2 % 2 == 1
        place, thing = PLACES[self.number % len(PLACES)], THINGS[self.number % len(THINGS)]
        asked = prompt(
            f"Where do I get a {thing}?" + " My name and number are " * has_slot,
            INSTRUCTIONS.format(place),
            slot=f"{NAMES[self.number % len(NAMES)]} {self.number}" if has_slot else "",
            assistant=("desk", "bank")[self.number % 2],
        )
        sampling = Sampling(max_tokens=4, temperature=(0.0, 0.7)[self.number % 5 == 0], seed=self.number)
        outcome = ask(self.model, asked, sampling, timeout_s=TIMEOUT_S)
        return dataclasses.replace(outcome, completion=None, text="")
