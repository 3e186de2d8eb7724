// A part of a page about work that goes on is fetched again until the work is done, from the address that it names: the
// page itself may have come of sending a form. Where there is no such part then, that page has become another one.
import { fetchPart } from "./live";

const EVERY_MS = 1500;

/** Follows the work that the page shows. */
export function progress(): void {
  for (const part of document.querySelectorAll<HTMLElement>("[data-work]")) {
    const timer = setInterval(() => {
      if (!part.querySelector("[data-going]")) clearInterval(timer);
      else if (part.ariaBusy !== "true") fetchPart(part, part.dataset["work"] ?? "", null);
    }, EVERY_MS);
  }
}
