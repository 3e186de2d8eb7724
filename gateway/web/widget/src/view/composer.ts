// Where a question is written: Enter sends, Shift and Enter begins a line, and the same button stops what is on its way.
import { attribute, fill, h, icon } from "../dom";
import type { Desk } from "./desk";

const NEAR_SHARE = 0.1;

/** What becomes of what is written. */
export interface Writing {
  ask(text: string): boolean;
  stop(): void;
}

export class Composer {
  readonly input: HTMLTextAreaElement;
  readonly node: HTMLFormElement;
  readonly #count = h("p", { class: "meta count", id: "count" });
  readonly #button = h("button", { class: "go" });
  #isBusy = false;

  constructor(
    private readonly desk: Desk,
    private readonly longest: number,
    private readonly actions: Writing,
  ) {
    const { texts } = desk;
    const words = { "aria-label": texts.of("message"), placeholder: texts.of("placeholder"), "aria-describedby": "count" };
    const heard = { keydown: (event: Event) => this.#key(event as KeyboardEvent), "input": () => this.#measure() };
    this.input = h("textarea", { rows: 1, dir: "auto", enterkeyhint: "send", ...words, ...heard });
    const submit = (event: Event) => {
      event.preventDefault();
      if (this.#isBusy) this.actions.stop();
      else this.#submit();
      this.input.focus();
    };
    const box = h("div", { class: "box" }, this.input, this.#button);
    this.node = h("form", { class: "composer", part: "composer", submit }, box, this.#count);
    this.isBusy = false;
    this.#measure();
  }

  get draft(): string {
    return this.input.value;
  }

  set draft(text: string) {
    this.input.value = text;
    this.#measure();
  }

  /** Whether the button stops instead of sending; the text can be edited all the same. */
  set isBusy(isBusy: boolean) {
    this.#isBusy = isBusy;
    const words = this.desk.texts.of(isBusy ? "stop" : "send");
    if (this.#button.title === words) return;
    attribute(this.#button, "aria-label", words);
    this.#button.title = words;
    fill(this.#button, icon(isBusy ? "stop" : "send"));
  }

  #key(event: KeyboardEvent): void {
    // 229 is what an input method's own Enter is in Safari, after its composition has ended.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    if (!this.#isBusy) this.#submit();
  }

  #submit(): void {
    if (this.actions.ask(this.draft)) this.draft = "";
    else this.desk.say(this.#count.textContent);
  }

  /** Characters that a text may still have, counted as the gateway does. */
  room(text: string): number {
    return this.longest - [...text.trim()].length;
  }

  #measure(): void {
    const left = this.room(this.draft);
    const isNear = left < this.longest * NEAR_SHARE;
    this.#count.textContent = isNear ? this.desk.texts.of(left < 0 ? "over" : "left", { n: Math.abs(left) }) : "";
    attribute(this.input, "aria-invalid", left < 0 && "true");
    this.#button.classList.toggle("is-empty", !this.draft.trim());
  }
}
