// Forms: Ctrl+S and Ctrl+Enter send the one at work, and typed text is not lost without a question.

/** Gives the form at work: the one with the focus, else the first of the page that writes. */
export function formAtWork(): HTMLFormElement | null {
  const own = document.activeElement?.closest("form");
  const form = own ?? document.querySelector<HTMLFormElement>("main form[method=post]");
  return form && form.method === "post" && form.querySelector(".primary") ? form : null;
}

/** Sends a form as its main button does. */
export function send(form: HTMLFormElement): void {
  form.requestSubmit(form.querySelector<HTMLButtonElement>("button.primary"));
}

/** Asks before a page is left on which something was typed into a form that writes. */
export function guardForms(): void {
  let isChanged = false;
  document.addEventListener("input", (event) => {
    const form = event.target instanceof Element ? event.target.closest("form") : null;
    isChanged ||= form?.method === "post" && form.querySelector("textarea") !== null;
  });
  document.addEventListener("submit", () => {
    isChanged = false;
  });
  addEventListener("beforeunload", (event) => {
    if (isChanged) event.preventDefault();
  });
}
