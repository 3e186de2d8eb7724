// What a call does: send, wait, send again, or give up; the only place with retries, deadlines and errors.
import { EVENTS, type Call } from "./calls.js";
import { CanongateError, classOf, Disconnected, Unavailable } from "./errors.js";
import type { ErrorBody } from "./wire.js";

/** The gateway answers at its deadline, with an approved fallback if need be: the reply must have time to arrive. */
const GRACE_S = 2;
const FIRST_PAUSE_S = 0.25;
const LONGEST_PAUSE_S = 8;
const WORTH_ANOTHER_TRY = new Set([429, 502, 503, 504]);

/** How often and when a request is sent again. */
export interface Retrying {
  /** Repetitions after the first request; 2 unless told. */
  most?: number;
  /** Numbers from 0 to 1: clients that were turned away together must not come back together. */
  chance?: () => number;
  /** Milliseconds that only grow. */
  clock?: () => number;
  /** Waits; rejects with the signal's reason when it stops. */
  pause?: (seconds: number, signal: AbortSignal | null) => Promise<void>;
}

/** Where calls go, and how. */
export interface Route {
  address: string;
  headers: Record<string, string>;
  fetch: typeof fetch;
  retrying: Required<Retrying>;
}

/** A reply that succeeded. */
export interface Opened {
  response: Response;
  /** Its body; empty where it is left to be read as it comes. */
  text: string;
  /** Stops a body from being read, and its time from running. */
  stop(): void;
}

export const USUALLY: Required<Retrying> = {
  most: 2,
  chance: Math.random,
  clock: () => performance.now(),
  pause: wait,
};

/** Does a call and gives its reply. Rejects with a `CanongateError`, or with the reason of the caller's signal. */
export async function exchange<T>(route: Route, call: Call): Promise<T> {
  const { response, text } = await opening(route, call);
  return parsed<T>(text, call.needs, response.status);
}

/** Gives the value of a reply that has every field which must be there. */
export function parsed<T>(text: string, needs: readonly string[], status: number | null): T {
  const read = objectOf(text);
  if (read && needs.every((name) => Object.hasOwn(read, name))) return read as T;
  const words = "The reply is none of this gateway's: something between here and the gateway may have changed it.";
  throw new Unavailable(words, { code: "unreadable_reply", status });
}

/** Sends until something succeeded. */
export async function opening(route: Route, call: Call): Promise<Opened> {
  const { clock, most, pause } = route.retrying;
  const until = clock() + call.timeoutS * 1000;
  for (let attempt = 0; ; attempt++) {
    call.signal?.throwIfAborted();
    const opened = await sent(route, call, Math.max(1, Math.trunc(until - clock())));
    if (!(opened instanceof CanongateError)) return opened;
    if (attempt >= most || !opened.mayRetry) throw opened;
    const waitS = waitOf(opened, attempt, route.retrying);
    if (clock() + waitS * 1000 >= until) throw opened;
    await pause(waitS, call.signal);
  }
}

async function sent(route: Route, call: Call, leftMs: number): Promise<Opened | CanongateError> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), leftMs + GRACE_S * 1000);
  const leave = () => late.abort(call.signal?.reason);
  call.signal?.addEventListener("abort", leave, { once: true });
  const stop = () => {
    clearTimeout(timer);
    call.signal?.removeEventListener("abort", leave);
    late.abort();
  };
  try {
    const response = await route.fetch(route.address + call.path, {
      method: call.method,
      headers: { ...route.headers, ...call.headers, "x-canongate-timeout-ms": String(leftMs) },
      body: call.body,
      signal: late.signal,
      redirect: "manual",
    });
    if (response.ok && call.headers["accept"] === EVENTS) return { response, text: "", stop };
    const text = await response.text();
    stop();
    return response.ok ? { response, text, stop } : errorOf(response, text);
  } catch (error) {
    const isLate = late.signal.aborted;
    stop();
    call.signal?.throwIfAborted();
    if (isLate) return new Disconnected("The gateway did not answer in time.", { code: "timed_out" });
    const details = { code: "connection_lost", mayRetry: true };
    return new Disconnected("The connection to the gateway failed.", details, { cause: error });
  }
}

/** Gives the error that a reply tells; one without the gateway's envelope comes from something before it. */
function errorOf(response: Response, text: string): CanongateError {
  const { status, headers } = response;
  const about = {
    status,
    requestId: headers.get("x-request-id"),
    retryAfterS: secondsOf(headers.get("retry-after")),
    mayRetry: mayRetry(response),
  };
  const told = toldOf(text);
  if (!told) {
    const words = `Status ${status}, and not in this gateway's words: something before the gateway may have answered.`;
    return new (classOf(null, status))(words, { code: `http_${status}`, ...about });
  }
  const details = { code: told.code || `http_${status}`, param: told.param, ...about };
  return new (classOf(told.type, status))(told.message, details);
}

/** Gives the error of an envelope, null where the text is none. */
export function toldOf(text: string): ErrorBody | null {
  const error = objectOf(text)?.["error"] as Partial<ErrorBody> | null | undefined;
  if (typeof error?.message !== "string") return null;
  return { message: error.message, type: error.type ?? "", param: error.param ?? null, code: error.code ?? "" };
}

function objectOf(text: string): Record<string, unknown> | null {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === "object" && !Array.isArray(read) ? (read as Record<string, unknown> | null) : null;
  } catch {
    return null;
  }
}

/** What the gateway says counts; without a word of it, the statuses that mean `later`. */
function mayRetry({ status, headers }: Response): boolean {
  const said = headers.get("x-should-retry");
  return said === "true" || (said !== "false" && WORTH_ANOTHER_TRY.has(status));
}

function secondsOf(sent: string | null): number | null {
  return sent !== null && /^[0-9]+$/.test(sent) ? Number(sent) : null;
}

/** How long to wait before the request is sent again: at least as long as the gateway said. */
function waitOf(error: CanongateError, attempt: number, { chance }: Required<Retrying>): number {
  if (error.retryAfterS !== null) return error.retryAfterS * (1 + chance() / 4);
  return (Math.min(FIRST_PAUSE_S * 2 ** attempt, LONGEST_PAUSE_S) * (1 + chance())) / 2;
}

function wait(seconds: number, signal: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", leave);
      resolve();
    }, seconds * 1000);
    signal?.addEventListener("abort", leave, { once: true });
  });
}
