// A part of a page about work that goes on is fetched again until the work is done.
import { fetchPart } from "./live";

const EVERY_MS = 1500;

/** Follows the work that the page shows. */
export function progress(): void {
  for (const part of document.querySelectorAll<HTMLElement>("[data-work]")) {
    const timer = setInterval(() => {
      if (part.querySelector("[data-going]")) fetchPart(part, location.href, null);
      else clearInterval(timer);
    }, EVERY_MS);
  }
}
