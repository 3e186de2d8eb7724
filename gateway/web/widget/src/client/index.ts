// What the package promises under `canongate-widget/client`.
export { Canongate } from "./canongate.js";
export type {
  CallOptions,
  ChatOptions,
  CheckOptions,
  FeedbackOptions,
  MatchOptions,
  Options,
} from "./canongate.js";
export { CanongateError, Disconnected, NotAllowed, RateLimited, RequestRefused, Unavailable } from "./errors.js";
export type { Event } from "./events.js";
export type { Retrying } from "./exchange.js";
export { isAnswered, isBlocked } from "./wire.js";
export type {
  AboutAssistant,
  Answer,
  Cached,
  Candidate,
  Check,
  CheckedRail,
  CheckStatus,
  Contact,
  Feedback,
  FeedbackReason,
  KeepsText,
  Limits,
  MatchScores,
  MatchTrial,
  Model,
  Outcome,
  Prompt,
  RailStatus,
  RailVerdict,
  Slot,
  SlotType,
  Source,
  StageName,
  Step,
  Suggestion,
  Trace,
  Usage,
  Verdict,
} from "./wire.js";
