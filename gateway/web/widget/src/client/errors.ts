// What can go wrong with a call, as classes that say what to do. They are those of the Python client.

const ADVICE: Record<string, string> = {
  budget_exceeded: "Ask again after midnight (UTC), or have the gateway's operator raise the budget.",
  content_filter: "The message or the answer was blocked: show the text to the person, and do not send it again.",
  context_length_exceeded: "Shorten the text; nothing was cut.",
  deadline_passed: "Give the request more time: `x-canongate-timeout-ms` was over before there was an answer.",
  idempotency_in_progress: "The first request with this key is still at work: wait, and send the same again.",
  idempotency_key_reused: "Take a new idempotency key: this one belongs to another request.",
  insufficient_scope: "Have a key made that has the scope which the message names.",
  invalid_api_key: "Check the key. A new one is made with `canongate key create NAME`.",
  invalid_slot: "Correct the slot value that the message names.",
  message_empty: "Send a question as text.",
  message_too_long: "Shorten the message; nothing was cut.",
  model_not_found: "Use the name of an assistant that `models()` lists.",
  not_found: "Check the id that was sent, and the address of the gateway.",
  overloaded: "Wait as long as `retryAfterS` says, and ask again.",
  queue_full: "Wait as long as `retryAfterS` says, and ask again.",
  rails_unavailable: "Asking again does not help: tell the gateway's operator the request id.",
  store_unavailable: "The gateway's database is away: wait as long as `retryAfterS` says, and ask again.",
  timed_out: "Ask again with more time, or later.",
};

/** What is known of an error beside its words. */
export interface ErrorDetails {
  code: string;
  status?: number | null;
  param?: string | null;
  requestId?: string | null;
  retryAfterS?: number | null;
  mayRetry?: boolean;
}

/** A call that came to nothing; `code` is stable, the message is for people. */
export class CanongateError extends Error {
  readonly code: string;
  /** The HTTP status; null when there was none, or when the error came in the middle of a stream. */
  readonly status: number | null;
  /** The field to change, if it is one. */
  readonly param: string | null;
  /** What to tell the operator: the gateway's log has it. */
  readonly requestId: string | null;
  /** How long to wait before the same request may work, where the gateway knows. */
  readonly retryAfterS: number | null;
  /** Whether the same request may work later. The client has then asked again already, as often as it may. */
  readonly mayRetry: boolean;

  constructor(message: string, details: ErrorDetails, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = details.code;
    this.status = details.status ?? null;
    this.param = details.param ?? null;
    this.requestId = details.requestId ?? null;
    this.retryAfterS = details.retryAfterS ?? null;
    this.mayRetry = details.mayRetry ?? false;
  }

  /** What to do about it. */
  get advice(): string {
    return ADVICE[this.code] ?? this.usualAdvice;
  }

  protected get usualAdvice(): string {
    return "Tell the gateway's operator the request id.";
  }

  override toString(): string {
    const where = this.requestId ? ` (request ${this.requestId})` : "";
    return `${this.message} [${this.code}]${where} ${this.advice}`;
  }
}

/** The request has to change before it can be served. */
export class RequestRefused extends CanongateError {
  protected override get usualAdvice(): string {
    return "Change the field that `param` names, as the message says.";
  }
}

/** The key does not allow this. */
export class NotAllowed extends CanongateError {
  protected override get usualAdvice(): string {
    return "Use a key that may do this.";
  }
}

/** Too many requests with this key. */
export class RateLimited extends CanongateError {
  protected override get usualAdvice(): string {
    return "Wait as long as `retryAfterS` says, and send fewer requests.";
  }
}

/** The gateway cannot answer now. */
export class Unavailable extends CanongateError {
  protected override get usualAdvice(): string {
    return "Ask again later; if it stays, tell the gateway's operator the request id.";
  }
}

/** No whole reply came. Whether the gateway has answered is not known; the same idempotency key asks only once. */
export class Disconnected extends CanongateError {
  protected override get usualAdvice(): string {
    return "Check that the gateway runs at this address and can be reached.";
  }
}

type Kind = new (message: string, details: ErrorDetails, options?: ErrorOptions) => CanongateError;

const BY_TYPE: Record<string, Kind> = {
  authentication_error: NotAllowed,
  permission_error: NotAllowed,
  rate_limit_error: RateLimited,
  server_error: Unavailable,
};
const BY_STATUS: Record<number, Kind> = { 401: NotAllowed, 403: NotAllowed, 429: RateLimited };

/** Gives the class for an error's type as the gateway names it, or for a status where it named none. */
export function classOf(type: string | null, status: number | null): Kind {
  const found = type === null ? undefined : BY_TYPE[type];
  if (found) return found;
  if (status !== null && status >= 500) return Unavailable;
  return BY_STATUS[status ?? 0] ?? RequestRefused;
}
