// One question on its way to its answer: through cuts, silence, limits and times without a network, asked once.
import { eventsOf, type StreamEvent } from "./events";
import type { Gateway } from "./gateway";
import type { Turn } from "./turn";
import { ANSWER, checked, isStatus, Refusal, type Answer, type Asked } from "./wire";

const SILENCE_MS = 45_000;
const BACKOFF_MS = [1000, 2000, 4000, 8000];
const LIMITED_TIMES = 5;
const LIMITED_S = 5; // where a 429 does not say when

/** Hears how a question is doing. What waits rejects when the question is stopped. */
export interface Listener {
  conversation(id: string | null): void;
  change(values: Partial<Turn>): void;
  limited(seconds: number): Promise<void>;
  offline(): Promise<void>;
}

export class Exchange {
  #last = 0;
  #words = "";
  #isWaiting = false;
  #conversation: string | null;
  #tries = 0;
  #limited = 0;

  constructor(
    private readonly gateway: Gateway,
    private readonly key: string,
    private readonly asked: Asked,
    private readonly listener: Listener,
    private readonly signal: AbortSignal,
    /** Whether the question was sent before this page was loaded. */
    private readonly isResumed = false,
  ) {
    this.#conversation = asked.conversation;
  }

  /** Gives the answer, or rejects with what is final; the signal stops it. */
  async run(): Promise<Answer> {
    for (;;) {
      this.signal.throwIfAborted();
      if (!navigator.onLine) await this.listener.offline();
      const before = this.#last;
      try {
        return await this.#attempt();
      } catch (error) {
        this.signal.throwIfAborted();
        if (this.#last > before) this.#tries = 0;
        await this.#pause(error);
      }
    }
  }

  /** Waits until another attempt makes sense, or rejects. */
  async #pause(error: unknown): Promise<void> {
    const refusal = error instanceof Refusal ? error : null;
    if (refusal?.status === 429 && this.#limited++ < LIMITED_TIMES) {
      return this.listener.limited(refusal.after || LIMITED_S);
    }
    if (refusal && refusal.status < 500) throw refusal;
    if (!navigator.onLine) return;
    const backoff = BACKOFF_MS[this.#tries++];
    if (!backoff) throw error;
    if (this.#tries > 1) this.listener.change({ isAgain: true }); // the first new attempt is nobody's business
    const jittered = backoff * (0.75 + Math.random() / 2);
    await pause(Math.max(jittered, (refusal?.after ?? 0) * 1000), this.signal);
  }

  async #attempt(): Promise<Answer> {
    const isFollowing = this.#last > 0 || this.isResumed || this.#isWaiting;
    const attempt = new AbortController();
    const stop = () => attempt.abort();
    this.signal.addEventListener("abort", stop, { signal: attempt.signal });
    let timer = setTimeout(stop, SILENCE_MS);
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(stop, SILENCE_MS);
    };
    try {
      const reply = await (isFollowing
        ? this.gateway.follow(this.key, this.#isWaiting ? null : this.#last, attempt.signal)
        : this.gateway.ask(this.key, this.asked, attempt.signal));
      alive();
      return await this.#read(reply, alive);
    } catch (error) {
      // After silence something on the way may hold events back: the next attempt waits for the whole answer.
      this.#isWaiting = attempt.signal.aborted && !this.#isWaiting;
      if (!isFollowing || !isStatus(error, 404)) throw error;
      if (this.#last || this.isResumed) return await this.#kept();
      throw new Error(); // it never arrived
    } finally {
      clearTimeout(timer);
      stop();
    }
  }

  async #read(reply: Response, alive: () => void): Promise<Answer> {
    if (!reply.headers.get("Content-Type")?.startsWith("text/event-stream")) return checked(await reply.json(), ANSWER);
    for await (const event of eventsOf(reply.body!, alive)) {
      if (event.id && event.id <= this.#last) continue;
      this.#last = Math.max(this.#last, event.id);
      if (event.name === "done") return checked(event.data, ANSWER);
      if (event.name === "error") throw failure(event);
      this.#tell(event);
    }
    throw new Error();
  }

  #tell({ name, data }: StreamEvent): void {
    const told = (data ?? {}) as { conversation?: string; stage?: string; text?: string };
    if (name === "conversation") this.listener.conversation((this.#conversation = told.conversation ?? null));
    else if (name === "stage") this.listener.change({ stage: told.stage!, isAgain: false });
    else if (name === "sentence") this.listener.change({ words: (this.#words += told.text), isAgain: false });
    else if (name === "blocked") this.listener.change({ words: "", stage: "verifying" });
  }

  /** The answer is over at its key: the conversation may still have it. */
  async #kept(): Promise<Answer> {
    const turns = this.#conversation ? await this.gateway.said(this.#conversation).catch(() => []) : [];
    const found = turns.find((one) => one.key === this.key)?.answer;
    if (found) return found;
    throw new Refusal(404, "answer_gone");
  }
}

/** An error in the stream is the end of this answer: to follow it again would only tell it again. */
function failure({ data }: StreamEvent): Refusal {
  return new Refusal(400, (data as { error?: { code?: string } } | null)?.error?.code ?? "");
}

/** Waits for what somebody else does, and rejects when that takes too long. */
export function within<T>(ms: number, work: T | Promise<T>): Promise<T> {
  return Promise.race([work, new Promise<never>((_, reject) => setTimeout(reject, ms))]);
}

/** Waits; rejects when the signal stops it. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return happens((done) => setTimeout(done, ms), signal);
}

/** Waits for what calls `done`; rejects when the signal stops it. */
export function happens(listen: (done: () => void) => void, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    listen(resolve);
  });
}
