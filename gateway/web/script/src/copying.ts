// A button on every text that is there to be copied.

/** Adds the buttons, where the browser lets a page copy. */
export function copyButtons(): void {
  const { copy, copied } = document.documentElement.dataset;
  if (!navigator.clipboard || copy === undefined || copied === undefined) return;
  for (const text of document.querySelectorAll<HTMLElement>("pre[data-copy]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.textContent = copy;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text.textContent ?? "");
      button.textContent = copied;
    });
    text.after(button);
  }
}
