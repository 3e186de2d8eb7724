// Typed text that was not sent is kept in this tab, and is in the form again after a lost session or a reload.

import { isUnsaved, markUnsaved } from "./forms";

const EVERY_MS = 2000;
const BASE = ["read", "rev"]; // what the text was typed over: the server then tells of a conflict, as it would have
const PLACE = new Set(["place", "change", "target", "case"]); // what the text is about, where its address does not tell
const SECRET = new Set(["code", "token", "password", "csrf"]);

interface Kept {
  fields: [string, string][];
  isSent: boolean;
}

type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

/** Keeps the forms of the page that hold texts, and puts back what a page before could not send. */
export function keepForms(): void {
  if (document.querySelector("[data-failed]")) markSent("kept ", false);
  const resumed = document.querySelector<HTMLFormElement>("form[data-typist]");
  resumed?.addEventListener("submit", () => markSent(`${keyOf(resumed.dataset["typist"] ?? "", resumed)} `, true));
  const { person, kept } = document.documentElement.dataset;
  if (person === undefined || kept === undefined) return;
  if (isAnswer()) dropSent(person);
  const forms = [...document.querySelectorAll<HTMLFormElement>("main form[method=post]")].filter(
    (form) => form.querySelector("textarea") && !form.closest("dialog"),
  );
  const numbers = new Map<string, number>();
  for (const form of forms) {
    const key = keyOf(person, form);
    const number = numbers.get(key) ?? 0;
    numbers.set(key, number + 1);
    keep(form, `${key} ${number}`);
  }
}

/** Forms of one key are for the same text. */
function keyOf(person: string, form: HTMLFormElement): string {
  const hidden = [...form.querySelectorAll<HTMLInputElement>("input[type=hidden]")];
  const places = hidden.filter((one) => PLACE.has(one.name) && one.value).map((one) => [one.name, one.value]);
  return `kept ${person} ${form.getAttribute("action")} ${JSON.stringify(places)}`;
}

/** Whether the page may be what came of sending a form, and not of going back or of loading it again. */
function isAnswer(): boolean {
  const how = performance.getEntriesByType("navigation")[0] as PerformanceNavigationTiming | undefined;
  return how?.type === "navigate";
}

/** Notes of what is kept under keys that begin so whether it was sent: what failed was not, what is sent once more is. */
function markSent(start: string, isSent: boolean): void {
  for (const key of Object.keys(sessionStorage)) {
    const found = key.startsWith(start) ? read(key) : null;
    if (found) write(key, { ...found, isSent });
  }
}

function dropSent(person: string): void {
  for (const key of Object.keys(sessionStorage)) {
    if (key.startsWith(`kept ${person} `) && read(key)?.isSent) sessionStorage.removeItem(key);
  }
}

function keep(form: HTMLFormElement, key: string): void {
  const found = fieldsOf(form);
  const first = JSON.stringify(found);
  const wasRefused = isUnsaved(form); // then what the server wrote into it is not what the server has
  const before = read(key);
  if (before && JSON.stringify(before.fields) !== first) {
    putBack(form, before.fields);
    markUnsaved(form, true);
    tell(form, () => {
      putBack(form, found);
      markUnsaved(form, wasRefused);
      sessionStorage.removeItem(key);
    });
  } else {
    sessionStorage.removeItem(key);
  }
  let last = wasRefused ? "" : JSON.stringify(fieldsOf(form));
  const store = (isSent: boolean): void => {
    const fields = fieldsOf(form);
    const now = JSON.stringify(fields);
    if (now === last && !isSent) return;
    last = now;
    if (now === first && !wasRefused && !isSent) sessionStorage.removeItem(key);
    else if (write(key, { fields, isSent }) && !isSent) tellKept(form);
  };
  store(false);
  setInterval(() => store(false), EVERY_MS);
  addEventListener("pagehide", () => store(false));
  form.addEventListener("submit", () => store(true));
}

function fieldsOf(form: HTMLFormElement): [string, string][] {
  const found: [string, string][] = [];
  for (const one of form.elements) {
    if (!isKept(one)) continue;
    const isTicked = one instanceof HTMLInputElement && ["checkbox", "radio"].includes(one.type);
    found.push([one.name, isTicked ? (one.checked ? "on " : "off ") + one.value : one.value]);
  }
  return found;
}

function isKept(one: Element): one is Field {
  const isField =
    one instanceof HTMLInputElement || one instanceof HTMLTextAreaElement || one instanceof HTMLSelectElement;
  if (!isField || !one.name || SECRET.has(one.name) || one.type === "password" || one.type === "file") return false;
  return one.type !== "hidden" || BASE.includes(one.name);
}

/** Fields are told apart by name and by which of that name they are: a form may have got others meanwhile. */
function putBack(form: HTMLFormElement, fields: [string, string][]): void {
  const waiting = new Map<string, string[]>();
  for (const [name, value] of fields) waiting.set(name, [...(waiting.get(name) ?? []), value]);
  for (const one of form.elements) {
    const value = isKept(one) ? waiting.get(one.name)?.shift() : undefined;
    if (value === undefined || !isKept(one)) continue;
    const isTicked = one instanceof HTMLInputElement && ["checkbox", "radio"].includes(one.type);
    if (isTicked) one.checked = value.startsWith("on ");
    else one.value = value;
    if (!isTicked && one.type !== "hidden") one.closest("details")?.toggleAttribute("open", true);
    one.dispatchEvent(new Event("change")); // the editor shows it
  }
}

function tell(form: HTMLFormElement, drop: () => void): void {
  const { kept, keptDrop } = document.documentElement.dataset;
  const note = document.createElement("div");
  note.className = "note note-warn actions";
  note.setAttribute("role", "status");
  const text = document.createElement("p");
  text.textContent = kept ?? "";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button";
  button.textContent = keptDrop ?? "";
  button.addEventListener("click", () => {
    drop();
    note.remove();
  });
  note.append(text, button);
  form.before(note);
}

function read(key: string): Kept | null {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? "null") as Kept | null;
  } catch {
    return null; // not ours, or storage is off
  }
}

function write(key: string, kept: Kept): boolean {
  try {
    sessionStorage.setItem(key, JSON.stringify(kept));
    return true;
  } catch {
    return false; // full, or off: the question before the page is left remains
  }
}

/** Says beside the form's main button when its text was kept last. It is not read out: that would be every two seconds. */
function tellKept(form: HTMLFormElement): void {
  const { keptAt } = document.documentElement.dataset;
  const actions = form.querySelector(".primary")?.closest(".actions");
  if (!actions || keptAt === undefined) return;
  let place = actions.querySelector<HTMLElement>(".kept-at");
  if (!place) actions.append((place = document.createElement("span")));
  place.className = "fine kept-at";
  const how = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
  const time = new Date().toLocaleTimeString(document.documentElement.lang, how);
  place.textContent = `${keptAt} ${time}`;
}
