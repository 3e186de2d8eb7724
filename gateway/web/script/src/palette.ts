// The palette: prompts by title, pages, actions, and what the page itself offers, found by a few letters.

const ASK_AFTER_MS = 150;

interface Found {
  title: string;
  path: string;
}

type Choice = HTMLAnchorElement | HTMLButtonElement;

export interface Palette {
  open(): void;
}

/** Gives the palette that the page holds; null on pages without one. */
export function palette(): Palette | null {
  const dialog = document.querySelector<HTMLDialogElement>("#palette");
  const field = dialog?.querySelector<HTMLInputElement>("input[type=search]");
  const list = dialog?.querySelector("ul");
  const status = dialog?.querySelector("[role=status]");
  if (!dialog || !field || !list || !status) return null;
  for (const step of document.querySelectorAll<HTMLAnchorElement>("main a[href*='/steps/']")) {
    list.prepend(entry(step.textContent ?? "", step.href, dialog.dataset["kindStep"]));
  }
  const fixed = [...list.querySelectorAll("li")];
  let prompts: HTMLLIElement[] = [];
  let asked = 0;
  let timer = 0;
  let isOld = false; // the prompts were found for what stood in the field before
  let isAwaited = false; // Enter was pressed while they were
  const shown = (): Choice[] =>
    [...list.querySelectorAll<Choice>("li:not([hidden]) > a, li:not([hidden]) > button")];
  const tell = (): void => {
    const choices = shown();
    for (const one of list.querySelectorAll<Choice>("li > *")) one.classList.toggle("is-next", one === choices[0] && field.value.trim() !== "");
    status.textContent = choices.length ? "" : (dialog.dataset["nothing"] ?? "").replace("{name}", field.value.trim());
  };
  const openFirst = (): void => {
    isAwaited = isOld && fixed.every((one) => one.hidden);
    if (!isAwaited) shown()[0]?.click();
  };
  const show = (found: Found[]): void => {
    isOld = false;
    for (const one of prompts) one.remove();
    prompts = found.map((one) => entry(one.title, one.path, dialog.dataset["kindPrompt"]));
    list.append(...prompts);
    tell();
    if (isAwaited && dialog.open) openFirst();
  };
  const ask = async (wanted: string): Promise<Found[]> => {
    const from = dialog.dataset["prompts"];
    const reply = wanted && from ? await fetch(`${from}?q=${encodeURIComponent(wanted)}`) : null;
    return reply?.ok && !reply.redirected ? ((await reply.json()) as Found[]) : [];
  };
  const narrow = (): void => {
    const wanted = field.value.trim().toLocaleLowerCase();
    for (const one of fixed) one.hidden = !titleOf(one).toLocaleLowerCase().includes(wanted);
    if (shown().length) tell();
    const number = ++asked;
    isOld = true;
    isAwaited = false;
    clearTimeout(timer);
    const begin = async (): Promise<void> => {
      const found = await ask(wanted).catch(() => []);
      if (number === asked) show(found);
    };
    timer = setTimeout(begin, wanted ? ASK_AFTER_MS : 0);
  };
  field.addEventListener("input", narrow);
  dialog.addEventListener("keydown", (event) => {
    const choices = shown();
    const at = choices.indexOf(document.activeElement as Choice);
    if (event.isComposing) return;
    if (event.key === "ArrowDown") choices[(at + 1) % choices.length]?.focus();
    else if (event.key === "ArrowUp") (at > 0 ? choices[at - 1] : field)?.focus();
    else if (event.key === "Enter" && document.activeElement === field) openFirst();
    else if (event.key === "Escape") dialog.close(); // a search field would only be emptied by the first one
    else return;
    event.preventDefault();
  });
  return {
    open(): void {
      field.value = "";
      narrow();
      if (!dialog.open) dialog.showModal();
      field.focus();
    },
  };
}

/** A row is found by its title; what kind it is would fit too many. */
function titleOf(item: HTMLLIElement): string {
  return item.querySelector(".grow")?.textContent ?? "";
}

function entry(title: string, path: string, kind = ""): HTMLLIElement {
  const [item, link, text, name] = ["li", "a", "bdi", "span"].map((one) => document.createElement(one)) as [
    HTMLLIElement,
    HTMLAnchorElement,
    HTMLElement,
    HTMLElement,
  ];
  text.textContent = title;
  text.className = "grow";
  name.textContent = kind;
  name.className = "kind";
  link.href = path;
  link.append(text, " ", name);
  item.append(link);
  return item;
}
