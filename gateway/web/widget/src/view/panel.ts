// The panel: a heading, what was said, a notice where there is one, and the place to write.
import { fill, h, type Child } from "../dom";
import type { Settings } from "../settings";
import { blocks } from "../markdown/blocks";
import { contactCard } from "./contact";
import { button, chips, iconButton } from "./controls";
import { Composer, type Writing } from "./composer";
import type { Desk } from "./desk";
import { Log } from "./log";

/** What a person can do with the panel. */
export interface PanelActions extends Writing {
  close(): void;
  reset(): void;
}

export class Panel {
  readonly node: HTMLElement;
  readonly log: Log;
  readonly composer: Composer;
  isResuming = false;
  readonly #notice = h("div", { class: "notice", hidden: true });

  constructor(private readonly desk: Desk, settings: Settings, actions: PanelActions, announcer: Node) {
    const { texts } = desk;
    this.log = new Log(desk, () => (this.isResuming ? [] : greeting(desk, settings)));
    this.composer = new Composer(desk, settings.longest, actions);
    const close = settings.isInline ? null : iconButton("close", texts.of("close"), () => actions.close());
    const fresh = iconButton("fresh", texts.of("reset"), () => actions.reset());
    const heading = h("h2", { id: "heading", dir: "auto" }, settings.heading || texts.of("heading"));
    const header = h("header", { part: "header" }, heading, fresh, close);
    const keydown = (event: Event) => this.#key(event as KeyboardEvent, !settings.isInline && actions);
    const words = { id: "panel", class: "panel", part: "panel", "aria-labelledby": "heading", keydown };
    this.node = h("section", words, header, this.log.node, this.#notice, this.composer.node, announcer);
  }

  /** Says above the place to write what stands in the way, until it is over; gives its words. */
  notice(trouble: "signed_out" | "unavailable" | "not_here" | null, retry: () => void): string | null {
    const { texts } = this.desk;
    const name = navigator.onLine ? trouble : "offline";
    this.#notice.hidden = !name;
    const reload = name === "signed_out" && button(texts.of("reload"), () => location.reload());
    const again = name === "unavailable" && button(texts.of("retry"), retry);
    const words = name && texts.of(name);
    fill(this.#notice, h("p", {}, words), reload || again, reload && contactCard(this.desk, this.desk.contact));
    return words;
  }

  #key(event: KeyboardEvent, actions: PanelActions | false): void {
    if (event.isComposing) return;
    if (event.key === "Escape" && actions) actions.close();
    else if (event.key === "F6") this.#turnFocus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #turnFocus(): void {
    const isWriting = this.composer.input.matches(":focus");
    (isWriting ? this.log.node : this.composer.input).focus();
  }
}

function greeting(desk: Desk, settings: Settings): Child[] {
  const { texts } = desk;
  const words = blocks(settings.greeting || texts.of("greeting"));
  const hello = h("div", { class: "greeting" }, h("div", { class: "words" }, ...words), h("p", { class: "meta" }, texts.of("approved")));
  return [hello, chips(desk, texts.of("suggestions"), settings.suggestions)];
}
