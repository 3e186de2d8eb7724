"""A worker that dies too often, with the limits that are the default: the door closes, and opens again by itself."""

import os
import signal
import time

from benchmarks.soak.asking import START_S, Choice, Figures, ask, new_model, prompt, spread
from models.ports import Sampling
from models.worker.limits import ModelState
from models.worker.restarts import RestartLimits

ASKED = 200
SLACK_S = 15.0


def run(choice: Choice) -> Figures:
    """Returns the figures of this part; it takes little over a minute, whatever the scale."""
    limits, model = RestartLimits(), new_model(choice)
    question, sampling = prompt("When is the office open?"), Sampling(max_tokens=4)
    deaths = 0
    try:
        while model.state is not ModelState.OPEN and deaths <= limits.restarts:
            if not model.wait_ready(START_S) or model.pid is None:
                break
            pid = model.pid
            os.kill(pid, signal.SIGKILL)
            deaths += 1
            give_up_s = time.monotonic() + START_S
            while model.pid == pid and time.monotonic() < give_up_s:
                time.sleep(0.005)
            time.sleep(0.2)  # for the supervisor to see what it makes of it
        opened_s = time.monotonic()
        refused = [ask(model, question, sampling, timeout_s=30.0) for _ in range(ASKED)]
        is_back = model.wait_ready(limits.open_s + SLACK_S)
        closed_after_s = time.monotonic() - opened_s
        answered = ask(model, question, sampling, timeout_s=30.0)
    finally:
        model.close()
    all_refused = all(outcome.name == "ModelUnavailable" for outcome in refused)
    return {
        "deaths_until_open": deaths,
        "asked_while_open": ASKED,
        "all_unavailable": all_refused,
        "refused_after_ms": spread([outcome.took_s * 1000 for outcome in refused], digits=3),
        "words": refused[0].words,
        "ready_again_after_s": round(closed_after_s, 1),
        "answered_then": answered.name,
        "holds": deaths == limits.restarts + 1 and all_refused and is_back and answered.name == "answer",
    }
