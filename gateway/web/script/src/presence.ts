// Says that a draft is open, as long as somebody works at it.
import { whileAtWork } from "./attendance";
import { fetchPart } from "./live";

const FIRST_MS = 5_000;
const BEAT_MS = 20_000;

/** Keeps the note of who else edits the draft up to date. */
export function presence(): void {
  const part = document.querySelector<HTMLElement>("[data-here]");
  const token = document.querySelector<HTMLInputElement>("input[name=csrf]");
  if (!part || !token) return;
  const { here = "", kind = "", name = "", change = "" } = part.dataset;
  whileAtWork(
    () => {
      const fields = new FormData();
      for (const [field, value] of Object.entries({ csrf: token.value, kind, name, change })) fields.set(field, value);
      fetchPart(part, here, fields);
    },
    FIRST_MS,
    BEAT_MS,
  );
}
