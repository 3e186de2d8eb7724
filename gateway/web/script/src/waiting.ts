// The numbers beside the navigation, as long as the page stays open.
import { whileAtWork } from "./attendance";

const EVERY_MS = 30_000;

interface Told {
  shown: string;
  said: string;
}

/** Keeps the numbers up to date. */
export function waiting(): void {
  const pages = document.querySelector<HTMLElement>("[data-waiting]");
  const address = pages?.dataset["waiting"];
  if (!pages || !address) return;
  const ask = async (): Promise<void> => {
    const reply = await fetch(address);
    if (!reply.ok || reply.redirected) return; // signed out meanwhile: the next click tells
    for (const [name, told] of Object.entries((await reply.json()) as Record<string, Told>)) {
      const badge = pages.querySelector<HTMLElement>(`[data-count="${CSS.escape(name)}"]`);
      if (badge) show(badge, told);
    }
  };
  // Without an answer, what stands there is as old as it was: the next time asks again.
  whileAtWork(() => void ask().catch(() => undefined), EVERY_MS, EVERY_MS);
}

function show(badge: HTMLElement, told: Told): void {
  const [shown, said] = badge.children;
  if (!shown || !said || shown.textContent === told.shown) return;
  shown.textContent = told.shown;
  said.textContent = told.said && `(${told.said})`;
  badge.title = told.said;
  badge.hidden = told.shown === "";
}
