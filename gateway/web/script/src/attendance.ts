// What a page does again and again, as long as somebody works at it: one that is left alone keeps no session alive.

const AWAY_MS = 5 * 60_000;

/** Calls after a first pause, and then every so often, while the page is seen and somebody touches it. */
export function whileAtWork(beat: () => void, firstMs: number, everyMs: number): void {
  let active = Date.now();
  for (const event of ["input", "keydown", "pointerdown"]) {
    addEventListener(event, () => (active = Date.now()), { passive: true });
  }
  const due = (): void => {
    if (!document.hidden && Date.now() - active <= AWAY_MS) beat();
  };
  setTimeout(due, firstMs);
  setInterval(due, everyMs);
}
