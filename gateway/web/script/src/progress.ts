// A part of a page about work that goes on is fetched again until the work is done. Where there is no such part then, the
// page has become another one and is loaded anew.
import { fetchPart } from "./live";

const EVERY_MS = 1500;

/** Follows the work that the page shows. */
export function progress(): void {
  for (const part of document.querySelectorAll<HTMLElement>("[data-work]")) {
    const timer = setInterval(() => {
      if (!part.querySelector("[data-going]")) clearInterval(timer);
      else if (part.ariaBusy !== "true") fetchPart(part, location.href, null);
    }, EVERY_MS);
  }
}
