// Parts of a page that the server keeps up to date while somebody types: what their button would show, without the press.

const PAUSE_MS = 600;
const PATIENCE_MS = 20_000;

/** Follows every part that names the fields it depends on. */
export function liveParts(): void {
  for (const part of document.querySelectorAll<HTMLElement>("[data-live]")) {
    const button = part.querySelector<HTMLButtonElement>("button[formaction]");
    if (button?.form) follow(part, button, button.form);
  }
}

function follow(part: HTMLElement, button: HTMLButtonElement, form: HTMLFormElement): void {
  const names = (part.dataset["live"] ?? "").split(" ").filter(Boolean);
  let waiting = 0;
  let last: XMLHttpRequest | null = null;
  const ask = (): void => {
    clearTimeout(waiting);
    last?.abort(); // an answer to what was typed before tells nothing any more
    last = fetchPart(part, button.formAction, new FormData(form));
  };
  form.addEventListener("input", (event) => {
    const name = (event.target as HTMLInputElement).name ?? "";
    if (names.length && !names.some((one) => name.startsWith(one))) return;
    clearTimeout(waiting);
    waiting = setTimeout(ask, PAUSE_MS);
  });
  button.addEventListener("click", (event) => {
    event.preventDefault();
    ask();
  });
}

/** Sends the fields, if there are any, and takes the part of the same name out of the page that comes. */
export function fetchPart(part: HTMLElement, address: string, fields: FormData | null): XMLHttpRequest {
  // A request parses the page itself: no text becomes HTML here, which Trusted Types would refuse.
  const sent = new XMLHttpRequest();
  sent.open(fields ? "POST" : "GET", address);
  sent.responseType = "document";
  sent.timeout = PATIENCE_MS;
  sent.addEventListener("load", () => {
    const found = sent.responseXML?.getElementById(part.id) ?? null;
    if (!found && sent.status === 200 && part.matches("[data-work]")) location.assign(address);
    else show(part, found);
  });
  for (const kind of ["error", "timeout"]) sent.addEventListener(kind, () => show(part, null));
  part.setAttribute("aria-busy", "true");
  const texts = [...(fields ?? [])].filter((one): one is [string, string] => typeof one[1] === "string");
  sent.send(fields && new URLSearchParams(texts));
  return sent;
}

/** Puts the news in their place. What is read out is said in one line, and only when it differs. */
function show(part: HTMLElement, found: HTMLElement | null): void {
  part.removeAttribute("aria-busy");
  const told = part.querySelector<HTMLElement>("[data-said]");
  const words = found ? (found.querySelector("[data-said]")?.textContent ?? "") : (part.dataset["unknown"] ?? "");
  part.classList.toggle("stale", !found);
  if (told && told.textContent !== words) told.textContent = words;
  const [going, still] = [part, found].map((one) => one?.querySelector("[data-going]"));
  const body = found?.querySelector("[data-body]");
  // Until it is done, whoever is at work beside it stays there.
  if (going && still) going.replaceWith(document.importNode(still, true));
  else if (body) part.querySelector("[data-body]")?.replaceChildren(...document.importNode(body, true).childNodes);
  if (found) part.dispatchEvent(new Event("renewed", { bubbles: true }));
}
