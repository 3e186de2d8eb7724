// Whether an answer helped; where it did not, why.
import { h } from "../dom";
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
  readonly #reasons: HTMLButtonElement[];

  constructor(
    private readonly desk: Desk,
    private readonly answer: Answer,
    /** Shows something under the answer, and says it. */
    private readonly tell: (name: TextName) => void,
  ) {
    const { texts } = desk;
    this.up = iconButton("up", texts.of("helpful"), () => void this.#give("up"));
    this.down = iconButton("down", texts.of("not_helpful"), () => void this.#give("down"));
    this.#reasons = REASONS.map((reason) => {
      const choose = () => {
        press(chip, !isPressed(chip));
        if (reason === "other" && isPressed(chip)) this.#comment.focus();
      };
      const chip = button(texts.of(`reason_${reason}`), choose, "chip");
      press(chip, false);
      return chip;
    });
    this.#press();
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
      h("div", { class: "row", role: "group", "aria-label": why }, ...this.#reasons),
      this.#comment,
      h("div", { class: "row" }, h("button", { class: "button primary" }, texts.of("send_feedback"))),
    );
  }

  #press(): void {
    for (const one of ["up", "down"] as const) press(this[one], this.answer.verdict === one);
  }

  async #give(verdict: "up" | "down"): Promise<void> {
    this.form.hidden = verdict === "up" || !this.form.hidden;
    this.form.scrollIntoView({ block: "nearest" });
    if (this.answer.verdict === verdict || !(await this.#send(verdict, [], ""))) return;
    if (verdict === "up") this.tell("thanks");
  }

  async #explain(): Promise<void> {
    const chosen = REASONS.filter((one, at) => one !== "other" && isPressed(this.#reasons[at]!));
    // The gateway counts what it has a name for; the rest is in the comment.
    if (!(await this.#send("down", chosen, this.#comment.value.trim()))) return;
    this.form.hidden = true;
    this.down.focus();
    this.tell("thanks");
  }

  async #send(verdict: "up" | "down", reasons: string[], comment: string): Promise<boolean> {
    try {
      await this.desk.judge({ decision: this.answer.id, verdict, reasons, comment });
      this.answer.verdict = verdict;
      this.#press();
      return true;
    } catch {
      this.tell("not_saved");
      return false;
    }
  }
}

function press(button: Element, isOn: boolean): void {
  button.ariaPressed = String(isOn);
}

function isPressed(button: HTMLElement): boolean {
  return button.ariaPressed === "true";
}
