// Whether an answer helped; where it did not, why.
import { attribute, h } from "../dom";
import type { TextName } from "../texts";
import type { Answer } from "../wire";
import { button, iconButton } from "./controls";
import type { Desk } from "./desk";

const REASONS = ["wrong", "out_of_date", "not_my_question", "unsafe", "other"] as const;
const LONGEST_COMMENT = 1000;

export class FeedbackView {
  readonly up: HTMLButtonElement;
  readonly down: HTMLButtonElement;
  /** The form under the answer, shown after a thumb down. */
  readonly form: HTMLFormElement;
  readonly #comment: HTMLTextAreaElement;
  readonly #reasons = new Map<string, HTMLButtonElement>();

  constructor(
    private readonly desk: Desk,
    private readonly answer: Answer,
    /** Shows something under the answer, and says it. */
    private readonly tell: (name: TextName) => void,
  ) {
    const { texts } = desk;
    this.up = iconButton("up", texts.of("helpful"), () => void this.#give("up"));
    this.down = iconButton("down", texts.of("not_helpful"), () => void this.#give("down"));
    for (const reason of REASONS) {
      this.#reasons.set(reason, button(texts.of(`reason_${reason}`), () => this.#choose(reason), "chip"));
    }
    const buttons = [this.up, this.down, ...this.#reasons.values()];
    for (const one of buttons) press(one, false);
    const comment = texts.of("comment");
    const shared = { class: "field", rows: 2, maxlength: LONGEST_COMMENT, dir: "auto" };
    this.#comment = h("textarea", { ...shared, "aria-label": comment, placeholder: comment });
    const submit = (event: Event) => {
      event.preventDefault();
      void this.#explain();
    };
    const why = texts.of("why");
    this.form = h(
      "form",
      { class: "feedback", hidden: true, submit },
      h("p", { class: "meta" }, why),
      h("div", { class: "row", role: "group", "aria-label": why }, ...this.#reasons.values()),
      this.#comment,
      h("div", { class: "row" }, h("button", { class: "button primary" }, texts.of("send_feedback"))),
    );
  }

  #choose(reason: string): void {
    const chip = this.#reasons.get(reason)!;
    const isChosen = !isPressed(chip);
    press(chip, isChosen);
    if (reason === "other" && isChosen) this.#comment.focus();
  }

  async #give(verdict: "up" | "down"): Promise<void> {
    const button = verdict === "up" ? this.up : this.down;
    this.form.hidden = verdict === "up" || !this.form.hidden;
    this.form.scrollIntoView({ block: "nearest" });
    if (isPressed(button) || !(await this.#send(verdict, [], ""))) return;
    for (const one of [this.up, this.down]) press(one, one === button);
    if (verdict === "up") this.tell("thanks");
  }

  async #explain(): Promise<void> {
    const chosen = REASONS.filter((one) => one !== "other" && isPressed(this.#reasons.get(one)!));
    // The gateway counts what it has a name for; the rest is in the comment.
    if (!(await this.#send("down", chosen, this.#comment.value.trim()))) return;
    this.form.hidden = true;
    this.down.focus();
    this.tell("thanks");
  }

  async #send(verdict: "up" | "down", reasons: string[], comment: string): Promise<boolean> {
    try {
      await this.desk.judge({ decision: this.answer.id, verdict, reasons, comment });
      return true;
    } catch {
      this.tell("not_saved");
      return false;
    }
  }
}

function press(button: Element, isOn: boolean): void {
  attribute(button, "aria-pressed", String(isOn));
}

function isPressed(button: HTMLElement): boolean {
  return button.ariaPressed === "true";
}
