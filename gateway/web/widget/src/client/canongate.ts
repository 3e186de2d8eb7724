// The client: the same calls as the Python one, for Node.js 20 and later and for browsers.
import { chatCall, checkCall, feedbackCall, matchCall, modelsCall, type Call, type Within } from "./calls.js";
import { eventsOf, type Event } from "./events.js";
import { exchange, opening, USUALLY, type Retrying, type Route } from "./exchange.js";
import type { Answer, Check, Feedback, FeedbackReason, MatchTrial, Model, Models, StageName, Verdict } from "./wire.js";

const TIMEOUT_S = 30;
declare const VERSION: string; // put in when this is built

/** What a client is made with. */
export interface Options {
  /** An API key. It belongs on a server: a page in a browser takes the widget, or a server of its own in between. */
  key: string;
  /** Whom to talk to where a call names nobody. */
  assistant?: string;
  /** For one call with all its repetitions, 30 unless told; the gateway is told what is left of it. */
  timeoutS?: number;
  retrying?: Retrying;
  /** Sends requests, for proxies and certificates of one's own. */
  fetch?: typeof fetch;
}

/** What every call may be given. */
export interface CallOptions {
  timeoutS?: number;
  /** Stops the call, which then rejects with the signal's reason. */
  signal?: AbortSignal;
}

export interface MatchOptions extends CallOptions {
  assistant?: string;
  /** Links follow-up questions. */
  conversation?: string;
  /** Values for the prompt's blanks. */
  slots?: Record<string, string>;
}

export interface ChatOptions extends MatchOptions {
  maxTokens?: number;
  /** Your id of the person. */
  user?: string;
  /** Sent again after a failure, with the same key, a message is not asked twice. */
  idempotencyKey?: string;
}

export interface CheckOptions extends CallOptions {
  assistant?: string;
  stage?: StageName;
  /** Goes with the stage `output`. */
  facts?: string;
}

export interface FeedbackOptions extends CallOptions {
  reasons?: FeedbackReason[];
  comment?: string;
  better?: string;
}

/** Talks to a gateway. A refusal is an answer with an outcome of its own; what fails rejects with `CanongateError`. */
export class Canongate {
  readonly #route: Route;
  readonly #assistant: string | undefined;
  readonly #timeoutS: number;

  /** `address` is the gateway's, with or without `/v1`. */
  constructor(address: string, options: Options) {
    const headers = headersOf(options.key);
    const retrying = { ...USUALLY, ...options.retrying };
    const send: typeof fetch = options.fetch ?? ((input, init) => fetch(input, init));
    this.#route = { address: addressOf(address), headers, fetch: send, retrying };
    this.#assistant = options.assistant;
    this.#timeoutS = options.timeoutS ?? TIMEOUT_S;
  }

  /** Asks, and gives the answer. */
  async chat(message: string, options: ChatOptions = {}): Promise<Answer> {
    return await exchange<Answer>(this.#route, this.#asking(message, options, false));
  }

  /** Asks, and gives events as they come; the request is sent when the first is asked for. */
  async *stream(message: string, options: ChatOptions = {}): AsyncGenerator<Event> {
    const call = this.#asking(message, options, true);
    yield* eventsOf(await opening(this.#route, call), call.signal);
  }

  /** Tries what a message would be matched to; needs a key with the scope `debug`. */
  async match(message: string, options: MatchOptions = {}): Promise<MatchTrial> {
    const { conversation, slots } = options;
    const body = { assistant: this.#named(options), message, conversation, slots };
    return await exchange<MatchTrial>(this.#route, matchCall(body, this.#within(options)));
  }

  /** Tries a text against the rails; needs a key with the scope `checks`. */
  async checks(text: string, options: CheckOptions = {}): Promise<Check> {
    const body = { assistant: this.#named(options), stage: options.stage ?? "input", text, facts: options.facts };
    return await exchange<Check>(this.#route, checkCall(body, this.#within(options)));
  }

  /** Says whether an answer helped: `decision` is its `id`. Said again, it takes the place of what was said. */
  async feedback(decision: string, verdict: Verdict, options: FeedbackOptions = {}): Promise<Feedback> {
    const { reasons, comment, better } = options;
    const call = feedbackCall({ decision, verdict, reasons, comment, better }, this.#within(options));
    return await exchange<Feedback>(this.#route, call);
  }

  /** Lists the assistants that the key may talk to. */
  async models(options: CallOptions = {}): Promise<Model[]> {
    return (await exchange<Models>(this.#route, modelsCall(this.#within(options)))).data;
  }

  #asking(message: string, options: ChatOptions, isStreamed: boolean): Call {
    const { conversation, slots, maxTokens, user, idempotencyKey } = options;
    const body = { assistant: this.#named(options), message, conversation, slots, max_tokens: maxTokens, user };
    return chatCall(body, idempotencyKey, isStreamed, this.#within(options));
  }

  #named({ assistant }: { assistant?: string }): string {
    const found = assistant ?? this.#assistant;
    if (found !== undefined) return found;
    throw new TypeError("no assistant: name one in the call or for the client; `models()` lists them");
  }

  #within({ timeoutS, signal }: CallOptions): Within {
    return { timeoutS: timeoutS ?? this.#timeoutS, signal: signal ?? null };
  }
}

function addressOf(address: string): string {
  if (/^https?:\/\//.test(address)) return address.replace(/\/+$/, "").replace(/\/v1$/, "");
  throw new TypeError(`"${address}" is no address of a gateway: begin it with https:// or http://`);
}

function headersOf(key: string): Record<string, string> {
  if (!/^[ -~]+$/.test(key)) {
    throw new TypeError("the key is empty, or holds a character that no key has, such as a line break");
  }
  const authorization = `Bearer ${key}`;
  // A browser names itself; only where there is a process of its own is there a name to give.
  return "process" in globalThis ? { authorization, "user-agent": `canongate-typescript/${VERSION}` } : { authorization };
}
