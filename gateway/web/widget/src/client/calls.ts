// The requests that a client makes: addresses, bodies and headers, without any network.
import type { ChatBody, CheckBody, FeedbackBody, MatchBody } from "./wire.js";

export const EVENTS = "text/event-stream";
const JSON_TYPE = "application/json";

/** One request, the same however often it is sent. */
export interface Call {
  method: "GET" | "POST";
  path: string;
  headers: Record<string, string>;
  body: string | null;
  /** Fields without which a reply is none of the gateway's. */
  needs: readonly string[];
  /** How long all of it may take, with every repetition. */
  timeoutS: number;
  signal: AbortSignal | null;
}

/** What every call may come with. */
export interface Within {
  timeoutS: number;
  signal: AbortSignal | null;
}

/** Gives the call that asks. Without a key of the caller's it has one of its own, so that none asks twice. */
export function chatCall(body: ChatBody, key: string | undefined, isStreamed: boolean, within: Within): Call {
  const headers = { "idempotency-key": key ?? newKey(), accept: isStreamed ? EVENTS : JSON_TYPE };
  return post("/v1/chat", body, ["id", "outcome", "text", "source"], within, headers);
}

export function matchCall(body: MatchBody, within: Within): Call {
  return post("/v1/match", body, ["outcome", "candidates"], within);
}

export function checkCall(body: CheckBody, within: Within): Call {
  return post("/v1/checks", body, ["status", "text", "rails"], within);
}

/** Gives the call that gives feedback. Sent again, it says the same again. */
export function feedbackCall(body: FeedbackBody, within: Within): Call {
  return post("/v1/feedback", body, ["decision", "verdict"], within);
}

export function modelsCall(within: Within): Call {
  const headers = { accept: JSON_TYPE };
  return { method: "GET", path: "/v1/models", headers, body: null, needs: ["data"], ...within };
}

function post(path: string, body: object, needs: string[], within: Within, more: Record<string, string> = {}): Call {
  const headers = { accept: JSON_TYPE, "content-type": JSON_TYPE, ...more };
  return { method: "POST", path, headers, body: JSON.stringify(body), needs, ...within };
}

function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
