// Nodes are made one by one: no text of anybody is ever read as markup.

export type Child = Node | string | null | undefined | false;
type Value = string | number | boolean | null | undefined | ((event: Event) => void);

/** Makes an element. Functions listen to the event of their name, `true` is an empty attribute, nothing is none. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, Value> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.append(...kept(children)); // first: `dir=auto` looks through all of them at each one that comes after it
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else attribute(made, name, value);
  }
  return made;
}

/** Sets an attribute, or takes it away. */
export function attribute(on: Element, name: string, value: string | number | boolean | null | undefined): void {
  if (value === false || value === null || value === undefined) on.removeAttribute(name);
  else on.setAttribute(name, value === true ? "" : String(value));
}

/** Puts children in the place of those that are there. */
export function fill(parent: Element | DocumentFragment, ...children: Child[]): void {
  parent.replaceChildren(...kept(children));
}

function kept(children: Child[]): (Node | string)[] {
  return children.filter((one): one is Node | string => one !== null && one !== undefined && one !== false);
}

const PATHS = {
  chat: "M4 5.5h16v11H11l-4.5 3.5v-3.5H4z",
  close: "M6 6l12 12M18 6L6 18",
  send: "M12 19V5M6 11l6-6 6 6",
  stop: "M7 7h10v10H7z",
  fresh: "M12 5v14M5 12h14",
  copy: "M9 9h10v10H9zM5 15V5h10",
  up: "M8 20V11l4-7c2 0 2.5 1.5 2 3.5L13.5 10H19l-1.5 10zM8 11H4.5v9H8",
};

/** Draws an icon, `down` as `up` on its head; what it means is said beside it or by the control that it stands in. */
export function icon(name: keyof typeof PATHS | "down"): SVGElement {
  const space = "http://www.w3.org/2000/svg";
  const drawn = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  drawn.setAttribute("viewBox", "0 0 24 24");
  drawn.setAttribute("aria-hidden", "true");
  drawn.setAttribute("class", name);
  path.setAttribute("d", PATHS[name === "down" ? "up" : name]);
  drawn.append(path);
  return drawn;
}
