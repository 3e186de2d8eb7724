// One turn of the conversation: the question as it was asked, and how it is doing.
import { fill, h } from "../dom";
import { blocks } from "../markdown/blocks";
import type { TextName, Texts } from "../texts";
import { isOpen, type Turn } from "../turn";
import { answerNodes, nextNodes } from "./answer";
import { contactCard } from "./contact";
import { button } from "./controls";
import type { Desk } from "./desk";

const DAY = /^\d{4}-\d\d-\d\d$/;

/** Gives the line that says how a turn is doing; empty for one that is done. */
export function statusOf(texts: Texts, turn: Turn): string {
  switch (turn.phase) {
    case "limited":
      return texts.of("limited", { n: turn.seconds });
    case "queued":
    case "confirm":
    case "stopped":
      return texts.of(turn.phase);
    case "failed":
      return texts.of(turn.trouble ?? "failed");
    case "done":
      return "";
    case "sending":
      return texts.of(turn.isAgain ? "again" : turn.isSlow ? "slow" : (`stage_${turn.stage || "matching"}` as TextName));
  }
}

export class TurnView {
  readonly node = h("div", { class: "turn" });
  readonly #body = h("div", { class: "body" });
  readonly #next = h("div", { class: "next" });
  #shown = "";

  constructor(
    private readonly desk: Desk,
    private readonly turn: Turn,
  ) {
    const { texts } = desk;
    const mine = h("div", { class: "mine", dir: "auto", part: "message" });
    mine.append(h("span", { class: "sr", dir: "auto" }, texts.of("you_said"), " "), shownMessage(turn, texts.locale));
    this.node.append(mine, this.#body, this.#next);
  }

  /** Shows the turn as it is now; what can be asked next stands under the last one alone. */
  update(isLast: boolean): void {
    const { turn, desk } = this;
    const state = `${turn.phase} ${turn.answer?.id ?? ""}`;
    this.#next.hidden = !isLast;
    if (turn.phase === "done" && turn.answer) {
      if (state === this.#shown) return;
      fill(this.#body, ...answerNodes(desk, turn.answer));
      fill(this.#next, ...nextNodes(desk, turn.answer));
    } else if (state === this.#shown && turn.phase === "limited") {
      this.#body.querySelector(".status")!.textContent = statusOf(desk.texts, turn);
    } else {
      fill(this.#body, ...this.#words(), this.#status(), ...this.#actions(isLast));
    }
    this.#shown = state;
  }

  #words(): Node[] {
    const { words } = this.turn;
    return words && isOpen(this.turn) ? [h("div", { class: "words" }, ...blocks(words))] : [];
  }

  #status(): HTMLElement {
    const { turn } = this;
    const isWorking = turn.phase === "sending";
    return h("p", { class: `status ${turn.phase}` }, isWorking && h("span", { class: "dots" }, h("i"), h("i"), h("i")), statusOf(this.desk.texts, turn));
  }

  #actions(isLast: boolean): Node[] {
    const { desk, turn } = this;
    const { texts } = desk;
    if (!isLast) return [];
    if (turn.phase === "confirm") {
      return [row(button(texts.of("send"), desk.confirm, "button primary"), button(texts.of("confirm_no"), desk.stop))];
    }
    if (turn.phase === "stopped") return [row(button(texts.of("retry"), desk.retry))];
    if (turn.phase !== "failed") return [];
    const reload = turn.trouble === "signed_out" && button(texts.of("reload"), () => location.reload(), "button primary");
    const isOver = turn.trouble === "not_here" || turn.trouble === "refused";
    const action = reload || (!isOver && button(texts.of("retry"), desk.retry));
    const contact = contactCard(desk, desk.contact);
    return [...(action ? [row(action)] : []), ...(contact ? [contact] : [])];
  }
}

function row(...nodes: Node[]): HTMLElement {
  return h("div", { class: "row" }, ...nodes);
}

function shownMessage({ message, isDay }: Turn, language: string): string {
  if (!isDay || !DAY.test(message)) return message;
  const day = new Date(`${message}T00:00:00Z`);
  return Number.isNaN(Number(day)) ? message : day.toLocaleDateString(language, { dateStyle: "long", timeZone: "UTC" });
}
