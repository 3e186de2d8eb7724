// Rows that are ticked: by Space where the focus is, a range of them with Shift, and how many there are.

const BOX = "tr input[type=checkbox]";

/** Follows every list whose rows can be ticked. */
export function selection(): void {
  for (const list of document.querySelectorAll<HTMLElement>("[data-selection]")) follow(list);
}

/** Ticks the row in focus, or takes the tick away; with `isRange` all rows from the last one to this one. */
export function tickFocused(isRange: boolean): boolean {
  const box = document.activeElement?.closest("[data-selection] tr")?.querySelector<HTMLInputElement>(BOX);
  box?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey: isRange }));
  return box != null;
}

function follow(list: HTMLElement): void {
  let last: HTMLInputElement | null = null;
  list.addEventListener("click", (event) => {
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || !box.matches(BOX)) return;
    if (event.shiftKey && last) {
      const boxes = [...list.querySelectorAll<HTMLInputElement>(BOX)];
      const [from = 0, to = 0] = [boxes.indexOf(last), boxes.indexOf(box)].sort((one, other) => one - other);
      for (const one of boxes.slice(from, to + 1)) one.checked = box.checked;
    }
    last = box;
    tell(list);
  });
  list.addEventListener("mousedown", (event) => {
    const at = event.target instanceof Element ? event.target : null;
    if (event.shiftKey && at?.closest("label")) event.preventDefault(); // else the text between would be marked
  });
  tell(list);
}

function tell(list: HTMLElement): void {
  const words = list.querySelector<HTMLElement>("[data-ticked]");
  const number = list.querySelectorAll(`${BOX}:checked`).length;
  const { ticked = "", digits = "" } = words?.dataset ?? {};
  const written = [...`${number}`].map((one) => digits[Number(one)] ?? one).join("");
  if (words) words.textContent = number ? ticked.replace("{number}", written) : "";
}
