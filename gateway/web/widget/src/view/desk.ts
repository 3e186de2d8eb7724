// What the views of one widget share, and what a person can do through them.
import type { Texts } from "../texts";
import type { Contact, Verdict } from "../wire";

export interface Desk {
  texts: Texts;
  /** The client's contact; null until the configuration is there, and where there is none. */
  contact: Contact | null;
  hasFeedback: boolean;
  ask(message: string): void;
  retry(): void;
  confirm(): void;
  stop(): void;
  judge(verdict: Verdict): Promise<void>;
  say(text: string): void;
}
