// Where the panel stands: beside its button, inside the page, or over all of a small screen as a modal dialog.
import { attribute, fill, h, icon } from "../dom";
import type { Texts } from "../texts";

export const SMALL = "(max-width: 480px), (max-height: 420px)";

export class Frame {
  readonly launcher: HTMLButtonElement;
  readonly #full: HTMLDialogElement;
  readonly #small = matchMedia(SMALL);
  #isOpen = false;
  #hasNews = false;

  constructor(
    root: HTMLElement,
    private readonly panel: HTMLElement,
    private readonly texts: Texts,
    private readonly kind: { isInline: boolean; hasLauncher: boolean },
    actions: { toggle(): void; close(): void },
  ) {
    const words = { type: "button", class: "launcher", part: "launcher", "aria-controls": "panel" };
    this.launcher = h("button", { ...words, click: () => actions.toggle(), hidden: kind.isInline || !kind.hasLauncher });
    const cancel = (event: Event) => {
      event.preventDefault();
      actions.close();
    };
    this.#full = h("dialog", { class: "full", "aria-labelledby": "heading", cancel });
    fill(root, this.launcher, panel, this.#full);
    this.#small.onchange = () => this.#place();
    this.show(kind.isInline);
  }

  /** Shows or hides the panel. A hidden panel is out of reach of keys and of screen readers. */
  show(isOpen: boolean): void {
    this.#isOpen = isOpen;
    if (isOpen) this.#hasNews = false;
    this.panel.hidden = !isOpen;
    this.#place();
    this.#label();
  }

  /** Marks that an answer came while nobody could see it. */
  news(): void {
    this.#hasNews = true;
    this.#label();
  }

  /** Listens to the screen's width no more. */
  close(): void {
    this.#small.onchange = null;
  }

  #label(): void {
    const words = this.texts.of(this.#isOpen ? "close" : this.#hasNews ? "launcher_unread" : "launcher");
    attribute(this.launcher, "aria-label", words);
    attribute(this.launcher, "aria-expanded", String(this.#isOpen));
    this.launcher.classList.toggle("news", this.#hasNews);
    fill(this.launcher, icon(this.#isOpen ? "close" : "chat"));
  }

  #place(): void {
    const isModal = this.#isOpen && !this.kind.isInline && this.#small.matches;
    if (isModal === this.#full.open) return;
    const focused = this.panel.querySelector<HTMLElement>(":focus");
    if (isModal) {
      this.#full.append(this.panel);
      this.#full.showModal();
    } else {
      this.#full.close();
      this.#full.before(this.panel);
    }
    focused?.focus();
  }
}
