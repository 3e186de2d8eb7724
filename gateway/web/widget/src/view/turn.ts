// One turn of the conversation: the question as it was asked, and how it is doing.
import { fill, h, type Child } from "../dom";
import { blocks } from "../markdown/blocks";
import type { TextName, Texts } from "../texts";
import { isOpen, type Turn } from "../turn";
import { answerNodes, nextNodes } from "./answer";
import { contactCard } from "./contact";
import { button } from "./controls";
import type { Desk } from "./desk";

/** Gives the line that says how a turn is doing; empty for one that is done. */
export function statusOf(texts: Texts, turn: Turn): string {
  const { phase, trouble, seconds } = turn;
  if (phase === "done") return "";
  if (phase !== "sending") return texts.of((phase === "failed" && trouble) || phase, { n: seconds });
  return texts.of(turn.isAgain ? "again" : turn.isSlow ? "slow" : (`stage_${turn.stage || "matching"}` as TextName));
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
    const said = h("span", { class: "sr", dir: "auto" }, texts.of("you_said"), " ");
    const words = h("div", { dir: "auto" }, said, shownMessage(turn, texts.locale));
    this.node.append(h("div", { class: "mine", part: "message" }, words), this.#body, this.#next);
  }

  /** Shows the turn as it is now; what can be asked next stands under the last one alone, and goes for good. */
  update(isLast: boolean): void {
    const { turn, desk } = this;
    const state = `${turn.phase} ${turn.answer?.id ?? ""}`;
    if (!isLast) fill(this.#next);
    if (turn.phase === "done" && turn.answer) {
      if (state === this.#shown) return;
      fill(this.#body, ...answerNodes(desk, turn.answer));
      if (isLast) {
        fill(this.#next, ...nextNodes(desk, turn.answer));
        if (turn.answer.slot?.is_invalid) desk.point(this.#next);
      }
    } else if (state === this.#shown && turn.phase === "limited") {
      this.#body.querySelector(".status")!.textContent = statusOf(desk.texts, turn);
    } else {
      fill(this.#body, this.#words(), this.#status(), ...this.#actions(isLast));
    }
    this.#shown = state;
  }

  #words(): Child {
    const { words } = this.turn;
    return isOpen(this.turn) && words && h("div", { class: "words" }, ...blocks(words));
  }

  #status(): HTMLElement {
    const { turn } = this;
    const isWorking = turn.phase === "sending";
    return h("p", { class: `status ${turn.phase}` }, isWorking && h("span", { class: "dots" }, h("i"), h("i"), h("i")), statusOf(this.desk.texts, turn));
  }

  #actions(isLast: boolean): Child[] {
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
    return [action && row(action), contactCard(desk, desk.contact)];
  }
}

function row(...nodes: Node[]): HTMLElement {
  return h("div", { class: "row" }, ...nodes);
}

function shownMessage({ message, isDay }: Turn, language: string): string {
  const day = new Date(message); // a February 30 is taken for a day of March
  return isDay && day.toJSON()?.slice(0, 10) === message ? day.toLocaleDateString(language, { dateStyle: "long", timeZone: "UTC" }) : message;
}
