// Buttons and chips.
import { h, icon } from "../dom";
import type { Suggestion } from "../wire";
import type { Desk } from "./desk";

/** Makes a button of words. */
export function button(words: string, onclick: () => void, kind = "button"): HTMLButtonElement {
  return h("button", { type: "button", class: kind, dir: "auto", click: onclick }, words);
}

/** Makes a button of an icon; its name is said, and shown to whoever points at it. */
export function iconButton(name: Parameters<typeof icon>[0], words: string, onclick: () => void): HTMLButtonElement {
  return h("button", { type: "button", class: "icon-button", "aria-label": words, title: words, click: onclick }, icon(name));
}

/** Makes questions that are asked by one click, under a heading. */
export function chips(desk: Desk, heading: string, suggestions: readonly Suggestion[]): HTMLElement | null {
  if (!suggestions.length) return null;
  const made = suggestions.map(({ title }) => h("li", {}, button(title, () => desk.ask(title), "chip")));
  return h("div", { class: "chips" }, h("p", { class: "meta" }, heading), h("ul", { role: "list", "aria-label": heading }, ...made));
}
