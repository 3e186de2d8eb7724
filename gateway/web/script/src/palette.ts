// The palette: every page that the navigation has, found by a few letters.

export interface Palette {
  open(): void;
}

/** Gives the palette that the page holds; null on pages without one. */
export function palette(): Palette | null {
  const dialog = document.querySelector<HTMLDialogElement>("#palette");
  const field = dialog?.querySelector<HTMLInputElement>("input");
  if (!dialog || !field) return null;
  const items = [...dialog.querySelectorAll<HTMLLIElement>("li")];
  const shown = (): HTMLAnchorElement[] =>
    items.filter((one) => !one.hidden).flatMap((one) => [...one.querySelectorAll("a")]);
  const narrow = (): void => {
    const wanted = field.value.trim().toLocaleLowerCase();
    for (const one of items) one.hidden = !(one.textContent ?? "").toLocaleLowerCase().includes(wanted);
  };
  field.addEventListener("input", narrow);
  dialog.addEventListener("keydown", (event) => {
    const links = shown();
    const at = links.indexOf(document.activeElement as HTMLAnchorElement);
    if (event.key === "ArrowDown") links[(at + 1) % links.length]?.focus();
    else if (event.key === "ArrowUp") (at > 0 ? links[at - 1] : field)?.focus();
    else if (event.key === "Enter" && at < 0) links[0]?.click();
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
