// Keys. Single letters are off while somebody types, holds a modifier, has a dialog open, or has turned them off.
import { formAtWork, send } from "./forms";
import type { Palette } from "./palette";
import { tickFocused } from "./selection";

const GO_MS = 1500;
const NATIVE = "input, select, textarea, button, summary, [contenteditable], .editor";
const ARABIC: Record<string, string> = { ظ: "/", "؟": "?" };

/** Listens for keys. */
export function shortcuts(found: Palette | null): void {
  let goUntil = 0;
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    if (event.ctrlKey || event.metaKey) {
      if (withModifier(event, found)) event.preventDefault();
      return;
    }
    if (!takesLetters(event)) return;
    const key = latin(event);
    const isGoing = performance.now() < goUntil;
    goUntil = 0;
    if (isGoing && go(key)) event.preventDefault();
    else if (key === "g") goUntil = performance.now() + GO_MS;
    else if (key === " " ? tickFocused(event.shiftKey) : single(key)) event.preventDefault();
  });
}

/** Gives a key as a Latin keyboard has it, whatever is typed; its letter is as Shift has it, not as Caps Lock does. */
function latin({ key, code, shiftKey }: KeyboardEvent): string {
  if (/^[ -~]{2,}$/.test(key)) return key; // such as Enter
  const found = /^[ -~]$/.test(key) ? key : (ARABIC[key] ?? /^Key(.)$/.exec(code)?.[1] ?? key);
  return shiftKey ? found.toUpperCase() : found.toLowerCase();
}

function withModifier(event: KeyboardEvent, found: Palette | null): boolean {
  if (event.altKey || event.shiftKey) return false;
  const key = latin(event);
  if (key === "k" && found) {
    found.open();
    return true;
  }
  const form = key === "Enter" || key === "s" ? formAtWork() : null;
  if (!form || (key === "s" && form.matches("[data-step]"))) return false; // a step is sent, not saved
  send(form);
  return true;
}

function takesLetters(event: KeyboardEvent): boolean {
  const focused = event.target instanceof Element ? event.target : null;
  const at = focused?.checkVisibility() ? focused : null; // the button that closed a dialog keeps focus for a frame
  const isOff = document.documentElement.dataset["shortcuts"] === "off";
  return !isOff && !event.altKey && !document.querySelector("dialog[open]") && !at?.closest(NATIVE);
}

function go(key: string): boolean {
  const link = document.querySelector<HTMLAnchorElement>(`#nav a[data-go="${CSS.escape(key)}"]`);
  link?.click();
  return link !== null;
}

function single(key: string): boolean {
  if (key === "?") {
    const sheet = document.querySelector<HTMLDialogElement>("#shortcuts");
    sheet?.showModal();
    return sheet !== null;
  }
  if (key === "/") {
    const field = document.querySelector<HTMLElement>("main input[type=search]");
    field?.focus();
    return field !== null;
  }
  const named = document.querySelector<HTMLButtonElement>(`main button[aria-keyshortcuts="${CSS.escape(key)}"]`);
  if (named) {
    press(named);
    return true;
  }
  if (key === "j" || key === "k") return move(".row-link", key === "j" ? 1 : -1);
  if (key === "n" || key === "p") return move(".diff[tabindex]", key === "n" ? 1 : -1);
  const asked = document.querySelector<HTMLDialogElement>(`dialog[data-letter="${CSS.escape(key)}"]`);
  asked?.showModal();
  return asked !== null;
}

/** Presses a button that names its letter; where its field is still to be chosen, goes there instead. */
function press(button: HTMLButtonElement): void {
  const group = button.closest("section")?.querySelector<HTMLSelectElement>("select[data-needed]");
  if (group && !group.value) group.focus();
  else button.click();
}

function move(what: string, step: number): boolean {
  const links = [...document.querySelectorAll<HTMLElement>(`main ${what}`)].filter(
    (one) => one.checkVisibility() && (one.closest("tr")?.querySelector(what) ?? one) === one, // one stop a row
  );
  const at = links.indexOf(document.activeElement as HTMLElement);
  links[Math.max(0, Math.min(links.length - 1, at < 0 ? 0 : at + step))]?.focus();
  return links.length > 0;
}
