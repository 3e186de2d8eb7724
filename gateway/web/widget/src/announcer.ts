// What screen readers are told: in two regions by turns, so that the same words twice are two messages, and once each.
import { h } from "./dom";

const SETTLE_MS = 250;
const STAGE_MS = 4000;

export class Announcer {
  readonly #polite = [region("status"), region("status")] as const;
  readonly #alert = region("alert");
  readonly node = h("div", { class: "sr" }, ...this.#polite, this.#alert);
  #waiting: string[] = [];
  #stage = "";
  #timer = 0;
  #turn = 0;
  #stageAt = 0;

  /** Says something when the person is between two things; several at once become one message. */
  say(text: string | null): void {
    if (!text) return;
    this.#waiting.push(text);
    this.#stage = "";
    this.#settle();
  }

  /** Says what is being done, not more often than somebody wants to hear it. */
  stage(text: string): void {
    if (!text || this.#waiting.length || Date.now() - this.#stageAt < STAGE_MS) return;
    this.#stageAt = Date.now();
    this.#stage = text;
    this.#settle();
  }

  #settle(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#speak(), SETTLE_MS);
  }

  /** Says at once that something was lost. */
  alert(text: string): void {
    this.#alert.textContent = text;
  }

  /** Forgets what was not said yet, and empties the regions. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#waiting = [];
    this.#stage = "";
    this.#stageAt = 0;
    for (const one of [...this.#polite, this.#alert]) one.textContent = "";
  }

  #speak(): void {
    this.#polite[this.#turn]!.textContent = "";
    this.#turn = 1 - this.#turn;
    this.#polite[this.#turn]!.textContent = this.#waiting.splice(0).join(" ") || this.#stage;
    this.#stage = "";
  }
}

function region(role: "status" | "alert"): HTMLElement {
  return h("div", { role, "aria-live": role === "alert" ? "assertive" : "polite", "aria-atomic": "true" });
}
