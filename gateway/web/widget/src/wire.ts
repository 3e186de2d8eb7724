// What the gateway and the widget say to each other; the contract is docs/widget.md.

export interface Suggestion {
  id: string;
  title: string;
}

export interface Contact {
  name: string;
  email: string;
  phone: string;
  url: string;
  hours: string;
}

export interface Slot {
  name: string;
  type: "enum" | "integer" | "date" | "pattern" | "short_text" | "quoted_text";
  ask: string;
  is_invalid: boolean;
  values: string[];
}

export type Outcome = "answered" | "clarify" | "no_match" | "degraded" | "blocked_input" | "blocked_output";

export interface Answer {
  id: string;
  outcome: Outcome;
  text: string;
  source: "generate" | "verbatim" | "handoff" | "fallback" | "dialog" | "none";
  prompt: { id: string; title: string; version: number } | null;
  suggestions: Suggestion[];
  slot: Slot | null;
  contact: Contact | null;
  has_quoted_text?: boolean;
  /** What the person said of it here. */
  verdict?: Verdict["verdict"];
  reference: string;
  conversation: string;
}

export interface Configuration {
  version: string;
  lang: string;
  heading: string;
  greeting: string;
  sign_in: "required" | "optional" | "none";
  suggestions: Suggestion[];
  contact: Contact | null;
  theme: { accent?: string; on_accent?: string; radius?: number; position?: string } | null;
  max_length: number;
  feedback: boolean;
  strings: Record<string, string> | null;
}

export interface Asked {
  message: string;
  conversation: string | null;
  context: unknown;
}

export interface Said {
  key: string;
  message: string;
  answer: Answer | null;
}

export interface Verdict {
  decision: string;
  verdict: "up" | "down";
  reasons: string[];
  comment: string;
}

/** The gateway answered, and not with what was asked for. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    /** Seconds after which the gateway wants to be asked again; 0 where it says nothing. */
    readonly after = 0,
  ) {
    super(code);
  }
}

const TITLED = { title: "" };
const PARTS = { prompt: TITLED, slot: { type: "", values: [""] }, contact: { phone: "" } };

/** Whether a value has what the sample has, each of the same kind; of an array, the first stands for all. */
function isLike(value: unknown, like: unknown): boolean {
  if (Array.isArray(like)) return Array.isArray(value) && value.every((one) => isLike(one, like[0]));
  if (typeof like !== "object") return typeof value === typeof like;
  return !!value && Object.entries(like!).every(([name, one]) => isLike((value as Record<string, unknown>)[name], one));
}

/** What an answer has to have to be shown, a configuration to be used, and a conversation to be gone on with. */
export const ANSWER = { id: "", outcome: "", text: "", suggestions: [TITLED] };
export const CONFIGURATION = { lang: "", sign_in: "", suggestions: [TITLED] };
export const SAID = { turns: [{ key: "", message: "" }] };

/** Gives what came if it is like the sample, and its parts like theirs where they are there; else it is no reply. */
export function checked<T>(told: unknown, like: object): T {
  const parts = told as Record<string, unknown>;
  const isGood = isLike(told, like) && Object.entries(PARTS).every(([name, one]) => !parts[name] || isLike(parts[name], one));
  if (!isGood) throw new Refusal(0, "invalid_reply");
  return told as T;
}

/** Whether an error is a refusal with this status. */
export function isStatus(error: unknown, status: number): boolean {
  return error instanceof Refusal && error.status === status;
}
