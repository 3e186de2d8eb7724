// The events of an answer on its way: read from bytes however they arrive, given as typed values.
import { CanongateError, classOf, Disconnected } from "./errors.js";
import { parsed, toldOf, type Opened } from "./exchange.js";
import type { Answer, Outcome, Step } from "./wire.js";

/** `stage`: the gateway began with a step. `sentence`: the next words, checked with everything before them. `blocked`:
 * the answer did not pass, and what was shown gives way to the text of `done`. `done`: the answer as it counts, last. */
export type Event =
  | { type: "stage"; stage: Step }
  | { type: "sentence"; text: string }
  | { type: "blocked"; outcome: Outcome }
  | { type: "done"; answer: Answer };

/** Gives the events of a reply. Leaving the loop, or the signal, closes it, which frees the model. */
export async function* eventsOf({ response, stop }: Opened, signal: AbortSignal | null): AsyncGenerator<Event> {
  const events = new EventReader(response.headers.get("x-request-id"));
  const reader = response.body?.getReader();
  try {
    for (;;) {
      const piece = await reader?.read();
      if (!piece || piece.done) break;
      yield* events.feed(piece.value);
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error instanceof CanongateError ? error : events.broken(error);
  } finally {
    stop();
    reader?.cancel().catch(() => undefined);
  }
  events.end();
}

class EventReader {
  readonly #decoder = new TextDecoder();
  #rest = "";
  #name = "";
  #data: string[] = [];
  #isDone = false;

  constructor(private readonly requestId: string | null) {}

  /** Gives the events that are complete with these bytes. Throws the error that the stream tells of. */
  *feed(received: Uint8Array): Generator<Event> {
    const lines = (this.#rest + this.#decoder.decode(received, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const found = this.#line(line.replace(/\r$/, ""));
      if (!found) continue;
      this.#isDone ||= found.type === "done";
      yield found;
    }
  }

  /** Is told that nothing more comes. Throws where the answer had not come. */
  end(): void {
    if (!this.#isDone) throw this.broken(null);
  }

  broken(cause: unknown): Disconnected {
    const details = { code: "stream_broken", requestId: this.requestId, mayRetry: true };
    return new Disconnected("The stream broke before the answer was complete.", details, { cause });
  }

  #line(line: string): Event | null {
    if (line === "") {
      const [name, data] = [this.#name, this.#data.join("\n")];
      this.#name = "";
      this.#data = [];
      return data === "" ? null : this.#event(name, data);
    }
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (field === "event") this.#name = value ?? "";
    else if (field === "data") this.#data.push(value ?? "");
    return null;
  }

  /** Gives the event; one that this client does not know is skipped. */
  #event(name: string, data: string): Event | null {
    if (name === "stage") return { type: name, stage: this.#read<{ stage: Step }>(data, "stage").stage };
    if (name === "sentence") return { type: name, text: this.#read<{ text: string }>(data, "text").text };
    if (name === "blocked") return { type: name, outcome: this.#read<{ outcome: Outcome }>(data, "outcome").outcome };
    if (name === "done") return { type: name, answer: this.#read<Answer>(data, "id", "outcome", "text", "source") };
    if (name !== "error") return null;
    const told = toldOf(data);
    if (!told) throw this.#unreadable();
    const details = { code: told.code || "unknown", param: told.param, requestId: this.requestId };
    throw new (classOf(told.type, null))(told.message, details);
  }

  #read<T>(data: string, ...needs: string[]): T {
    try {
      return parsed<T>(data, needs, null);
    } catch {
      throw this.#unreadable();
    }
  }

  #unreadable(): Disconnected {
    const details = { code: "unreadable_reply", requestId: this.requestId };
    return new Disconnected("The stream is none of this gateway's.", details);
  }
}
