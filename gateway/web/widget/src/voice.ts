// What is told of a turn, and when: each state once, an answer once and whole.
import type { Announcer } from "./announcer";
import type { Turn } from "./turn";
import { spoken } from "./view/answer";
import type { Desk } from "./view/desk";
import { statusOf } from "./view/turn";

export class Voice {
  #told = "";

  constructor(private readonly announcer: Announcer) {}

  /** Hears of every change of a turn. */
  changed(desk: Desk, turn: Turn): void {
    const text = turn.answer ? spoken(desk, turn.answer) : statusOf(desk.texts, turn);
    const state = `${turn.key} ${turn.phase} ${turn.phase === "limited" ? "" : text}`; // a countdown is told once
    if (state === this.#told) return;
    this.#told = state;
    if (turn.phase === "queued") return; // the notice says so
    if (turn.trouble === "lost") this.announcer.alert(text);
    else if (turn.phase === "sending" && !turn.isSlow && !turn.isAgain) this.announcer.stage(text);
    else this.announcer.say(text);
  }
}
