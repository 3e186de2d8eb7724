// Says that a draft is open, as long as somebody works at it: a page that is left alone keeps no session alive.
import { fetchPart } from "./live";

const FIRST_MS = 5_000;
const BEAT_MS = 20_000;
const AWAY_MS = 5 * 60_000;

/** Keeps the note of who else edits the draft up to date. */
export function presence(): void {
  const part = document.querySelector<HTMLElement>("[data-here]");
  const token = document.querySelector<HTMLInputElement>("input[name=csrf]");
  if (!part || !token) return;
  const { here = "", kind = "", name = "", change = "" } = part.dataset;
  let active = Date.now();
  for (const event of ["input", "keydown", "pointerdown"]) {
    addEventListener(event, () => (active = Date.now()), { passive: true });
  }
  const beat = (): void => {
    if (document.hidden || Date.now() - active > AWAY_MS) return;
    const fields = new FormData();
    for (const [field, value] of Object.entries({ csrf: token.value, kind, name, change })) fields.set(field, value);
    fetchPart(part, here, fields);
  };
  setTimeout(beat, FIRST_MS);
  setInterval(beat, BEAT_MS);
}
