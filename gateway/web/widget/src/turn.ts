// One question and what becomes of it.
import type { Answer } from "./wire";

/**
 * - `sending`: on its way, or being answered
 * - `limited`: waits until the gateway takes questions again
 * - `queued`: waits for a network; `confirm`: there is one, and so long after that it is asked for first
 */
export type Phase = "sending" | "limited" | "queued" | "confirm" | "done" | "stopped" | "failed";

export type Trouble = "unavailable" | "signed_out" | "not_here" | "refused" | "lost" | "failed";

export interface Turn {
  key: string;
  readonly message: string;
  /** Whether the message is a day that was asked for. */
  readonly isDay: boolean;
  phase: Phase;
  stage: string;
  /** Checked words that came before the answer. */
  words: string;
  isSlow: boolean;
  isAgain: boolean;
  seconds: number;
  answer: Answer | null;
  trouble: Trouble | null;
}

/** Makes a turn that is on its way. */
export function newTurn(message: string, key: string, isDay: boolean): Turn {
  const nothing = { stage: "", words: "", isSlow: false, isAgain: false, seconds: 0, answer: null, trouble: null };
  return { key, message, isDay, phase: "sending", ...nothing };
}

/** Whether something is still being done about a turn. */
export function isOpen({ phase }: Turn): boolean {
  return phase !== "done" && phase !== "stopped" && phase !== "failed";
}

/** Makes a random UUID also where the page has no secure context, as an intranet without TLS. */
export function newKey(): string {
  const digit = () => (crypto.getRandomValues(new Uint8Array(1))[0]! & 15).toString(16);
  return "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx".replace(/x/g, digit);
}
