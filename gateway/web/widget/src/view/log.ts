// What was said, oldest first. It is read by moving through it; what is new is told by the announcer.
import { fill, h, type Child } from "../dom";
import type { Turn } from "../turn";
import type { Desk } from "./desk";
import { TurnView } from "./turn";

const NEAR_PX = 60;

export class Log {
  readonly node: HTMLElement;
  readonly #views = new Map<Turn, TurnView>();
  #isAtEnd = true;

  constructor(
    private readonly desk: Desk,
    private readonly empty: () => Child[],
  ) {
    const scroll = () => {
      const { scrollHeight, scrollTop, clientHeight } = this.node;
      this.#isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    };
    const words = { role: "log", "aria-live": "off", "aria-label": desk.texts.of("log"), tabindex: 0 };
    this.node = h("div", { class: "log", part: "log", ...words, scroll });
  }

  /** Shows these turns and no others. */
  show(turns: readonly Turn[]): void {
    for (const turn of this.#views.keys()) if (!turns.includes(turn)) this.#views.delete(turn);
    for (const turn of turns) if (!this.#views.has(turn)) this.#views.set(turn, new TurnView(this.desk, turn));
    fill(this.node, ...(turns.length ? turns.map((turn) => this.#views.get(turn)!.node) : this.empty()));
    this.update(turns);
  }

  /** Shows how the turns are doing. Whoever reads further up is left there. */
  update(turns: readonly Turn[]): void {
    const last = turns.at(-1);
    for (const [turn, view] of this.#views) view.update(turn === last);
    if (last && this.#isAtEnd) this.reveal(last);
  }

  /** Scrolls down so far that the turn is seen from its beginning on. The page around the widget stays where it is. */
  reveal(turn: Turn): void {
    const node = this.#views.get(turn)?.node;
    if (node) this.node.scrollTop = Math.max(this.node.scrollTop, node.offsetTop - 12);
    this.#isAtEnd = true;
  }
}
