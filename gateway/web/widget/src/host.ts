// The element as its page sees it: properties, and events. What a property brings about is the element's matter.
import type { Page, Token } from "./session";

const PROPERTIES = ["token", "strings"] as const;

export type EventName = "ready" | "open" | "close" | "message" | "feedback" | "error" | "reset";

export abstract class Host extends HTMLElement implements Page {
  /** Small JSON about the page, sent with each question; the gateway checks its size and keeps nothing of it. */
  declare context: unknown;
  #token: Token = null;
  #strings: Record<string, string> | null = null;

  /** What vouches for the person: a signed token, or a function that fetches one. */
  get token(): Token {
    return this.#token;
  }

  set token(token: Token) {
    this.#token = token;
    this.vouched();
  }

  /** Words in the place of the widget's own, by their names. */
  get strings(): Record<string, string> | null {
    return this.#strings;
  }

  set strings(strings: Record<string, string> | null) {
    this.#strings = strings;
    this.build();
  }

  /** Hears that another token vouches for the person. */
  protected abstract vouched(): void;

  /** Makes the shadow tree anew out of what there is. */
  protected abstract build(): void;

  /** Takes up what was set before the widget was there. */
  protected upgrade(): void {
    for (const name of PROPERTIES) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name] as never;
      delete this[name];
      this[name] = value;
    }
  }

  protected emit(name: EventName, detail: unknown = null): void {
    this.dispatchEvent(new CustomEvent(`canongate:${name}`, { bubbles: true, composed: true, detail }));
  }
}
