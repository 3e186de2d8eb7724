// Forms: Ctrl+S and Ctrl+Enter send the one at work, and typed text is not lost without a question.

const UNSAVED = "data-unsaved"; // on forms whose text was typed or put back here, or, marked by the server, refused

/** Gives the form at work: round the field with the focus, else one with unsaved text, and never round a link. */
export function formAtWork(): HTMLFormElement | null {
  const at = document.activeElement;
  const own = at?.matches("input, textarea, select, .editor") ? at.closest("form") : null;
  const unsaved = document.querySelector<HTMLFormElement>(`main [${UNSAVED}]:not(dialog *)`); // in one it may be closed
  const form = at?.closest("a, dialog") ? own : (own ?? unsaved);
  return form && form.method === "post" && form.querySelector(".primary") ? form : null;
}

/** Sends a form as its main button does. */
export function send(form: HTMLFormElement): void {
  form.requestSubmit(form.querySelector<HTMLButtonElement>("button.primary"));
}

/** Whether nothing but this page has what stands in a form. */
export function isUnsaved(form: HTMLFormElement): boolean {
  return form.hasAttribute(UNSAVED);
}

/** Notes whether nothing but this page has what stands in a form. */
export function markUnsaved(form: HTMLFormElement, isOn: boolean): void {
  form.toggleAttribute(UNSAVED, isOn);
}

/** Asks before a page is left on which text stands unsaved in a form that writes. */
export function guardForms(): void {
  const unsaved = (): HTMLFormElement[] =>
    [...document.querySelectorAll<HTMLFormElement>(`[${UNSAVED}]`)].filter(writesText);
  document.addEventListener("input", (event) => {
    const form = event.target instanceof Element ? event.target.closest("form") : null;
    if (form && writesText(form)) markUnsaved(form, true);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    const isEnd = form.id === "sign-out";
    if (isEnd && unsaved().length && !confirm(form.dataset["lost"])) return event.preventDefault();
    if (isEnd) addEventListener("pagehide", () => sessionStorage.clear()); // after all that writes into it then
    if (isEnd || writesText(form)) for (const one of unsaved()) markUnsaved(one, false); // others stay kept in this tab
  });
  addEventListener("beforeunload", (event) => {
    if (unsaved().length) event.preventDefault();
  });
}

function writesText(form: HTMLFormElement): boolean {
  return form.method === "post" && form.querySelector("textarea") !== null;
}
