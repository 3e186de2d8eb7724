// What a program and the gateway say to each other. Names are those of docs/openapi.json, which a test compares.

export type Outcome = "answered" | "clarify" | "no_match" | "blocked_input" | "blocked_output" | "degraded";
export type Source = "generate" | "verbatim" | "handoff" | "fallback" | "dialog" | "none";
export type SlotType = "enum" | "integer" | "date" | "pattern" | "short_text" | "quoted_text";
export type StageName = "input" | "output";
export type Step = "checking" | "matching" | "generating" | "verifying";
export type CheckStatus = "passed" | "modified" | "blocked";
export type RailStatus = "passed" | "modified" | "blocked" | "error" | "not_run";
export type Verdict = "up" | "down";
export type KeepsText = "off" | "redacted" | "full";
export type FeedbackReason =
  | "correct"
  | "clear"
  | "wrong"
  | "incomplete"
  | "out_of_date"
  | "not_my_question"
  | "unclear"
  | "rude"
  | "unsafe"
  | "should_have_answered";

/** The approved prompt that an answer is based on. */
export interface Prompt {
  id: string;
  version: number;
  title: string;
}

/** An approved prompt that may have been meant; ask by its title. */
export interface Suggestion {
  id: string;
  title: string;
}

/** The blank that the person is asked to fill: by the next message of the conversation, or in `slots`. */
export interface Slot {
  name: string;
  type: SlotType;
  ask: string;
  is_invalid: boolean;
  values: string[];
}

/** Who takes over. */
export interface Contact {
  name: string;
  email: string;
  phone: string;
  url: string;
  hours: string;
}

/** Tokens of the language model; zeros when it was not asked. */
export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

/** The checked answer that was used again. */
export interface Cached {
  at: string;
  sent_sha256: string;
  decision?: string | null;
}

/** What the match was decided on. */
export interface MatchScores {
  score: number | null;
  margin: number | null;
  method: string | null;
  gate: string | null;
}

/** One check's verdict. */
export interface RailVerdict {
  name: string;
  stage: StageName;
  status: RailStatus;
  reason: string | null;
  duration_ms: number;
  /** Whether the rail only watches: its verdict was recorded and not acted on. */
  is_monitored?: boolean;
}

/** How an answer was decided; there for keys with the scope `debug`. */
export interface Trace {
  match: MatchScores;
  rails: RailVerdict[];
  timings_ms: Record<string, number>;
}

/** The reply to a message, whatever its outcome: a refusal is a decision and no error. */
export interface Answer {
  /** Of the decision: feedback names it. */
  id: string;
  outcome: Outcome;
  /** What to show to the person, always. */
  text: string;
  /** Where the words come from. */
  source: Source;
  prompt: Prompt | null;
  suggestions: Suggestion[];
  slot: Slot | null;
  contact: Contact | null;
  /** Whether a text of the person's own was quoted to the model, as approved for this prompt alone. */
  has_quoted_text: boolean;
  usage: Usage;
  policy_version: string;
  store_revision: number;
  /** The request id. */
  reference: string;
  cached?: Cached | null;
  trace?: Trace | null;
}

/** An approved prompt that came near. */
export interface Candidate {
  id: string;
  version: number;
  title: string;
  score: number;
  similarity: number;
  counter_similarity: number | null;
  is_chosen: boolean;
}

/** What scores are held against; `answer` is null when only an approved phrasing word for word is answered. */
export interface Limits {
  answer: number | null;
  suggest: number;
  margin: number;
  floor: number;
}

/** What a message would be matched to; no check ran, no model, and no decision was made. */
export interface MatchTrial {
  outcome: Outcome;
  gate: string | null;
  method: string | null;
  difference: string | null;
  refused: string | null;
  candidates: Candidate[];
  limits: Limits;
  suggestions: Suggestion[];
  slot: Slot | null;
  matcher: string | null;
  store_revision: number;
  duration_ms: number;
  reference: string;
}

/** One rail's verdict on a text that was tried. */
export interface CheckedRail {
  name: string;
  stage: StageName;
  status: RailStatus;
  reason: string | null;
  duration_ms: number;
  monitored: boolean;
}

/** What the rails say of a text. */
export interface Check {
  status: CheckStatus;
  /** The text as it may go on, or what a person would read in its place. */
  text: string;
  /** The rail that blocked. */
  rail: string | null;
  rails: CheckedRail[];
  policy_version: string;
  reference: string;
}

/** What is stored of a verdict on an answer. */
export interface Feedback {
  decision: string;
  verdict: Verdict;
  reasons: FeedbackReason[];
  given_at: string;
  changed_at: string;
  /** How the texts are kept; `off` when nothing of them is. */
  kept: KeepsText;
}

/** What a person may want to know before choosing an assistant. */
export interface AboutAssistant {
  title: string;
  greeting: string;
  languages: string[];
}

/** An assistant that the key may talk to, or the embedder. */
export interface Model {
  id: string;
  object: "model";
  created: number;
  owned_by: string;
  /** Null for the embedder. */
  canongate: AboutAssistant | null;
}

/** The list of models as it is sent. */
export interface Models {
  object: "list";
  data: Model[];
}

/** What went wrong, in OpenAI's fields. */
export interface ErrorBody {
  message: string;
  type: string;
  param: string | null;
  code: string;
}

/** A message to an assistant, as it is sent. */
export interface ChatBody {
  assistant: string;
  message: string;
  conversation?: string | undefined;
  slots?: Record<string, string> | undefined;
  max_tokens?: number | undefined;
  user?: string | undefined;
}

/** A message to try, as it is sent. */
export interface MatchBody {
  assistant: string;
  message: string;
  conversation?: string | undefined;
  slots?: Record<string, string> | undefined;
}

/** A text for the rails, as it is sent. */
export interface CheckBody {
  assistant: string;
  stage: StageName;
  text: string;
  facts?: string | undefined;
}

/** What is thought of an answer, as it is sent. */
export interface FeedbackBody {
  decision: string;
  verdict: Verdict;
  reasons?: FeedbackReason[] | undefined;
  comment?: string | undefined;
  better?: string | undefined;
}

/** Whether the text answers the question: in the model's words, or in approved ones. */
export function isAnswered(answer: Answer): boolean {
  return answer.outcome === "answered" || answer.outcome === "degraded";
}

/** Whether a check stopped the message or the answer. */
export function isBlocked(answer: Answer): boolean {
  return answer.outcome === "blocked_input" || answer.outcome === "blocked_output";
}
