// Calls of the gateway: addresses, headers, and one silent renewal of a session that has ended.
import { Session, type Page } from "./session";
import { ANSWER, checked, CONFIGURATION, isStatus, Refusal, SAID } from "./wire";
import type { Asked, Configuration, Said, Verdict } from "./wire";

const CALL_MS = 10_000; // for what brings no signal of its own

export class Gateway {
  readonly session: Session;
  readonly #path: string;
  #configuration: Promise<Configuration> | null = null;

  constructor(
    readonly server: string,
    client: string,
    lang: string,
    page: Page,
  ) {
    this.#path = `/clients/${encodeURIComponent(client)}?lang=${encodeURIComponent(lang)}`;
    this.session = new Session(page, (token) => this.#read("/sessions", this.#json({ client, token })));
  }

  /** Gives the client's configuration, asked for once; after a failure it is asked for again. */
  configuration(): Promise<Configuration> {
    return (this.#configuration ??= this.#read(this.#path)
      .then((told) => checked<Configuration>(told, CONFIGURATION))
      .catch((error: unknown) => {
        this.#configuration = null;
        throw error;
      }));
  }

  /** Asks a question, or goes on with it: the same key never asks twice. */
  ask(key: string, asked: Asked, signal: AbortSignal): Promise<Response> {
    const headers = { "Idempotency-Key": key, Accept: "text/event-stream" };
    return this.#signed("/chat", this.#json(asked, { headers, signal }));
  }

  /** Follows a question from the event after `last`; without it, waits for the finished answer as JSON. */
  follow(key: string, last: number | null, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> =
      last === null ? { Accept: "application/json" } : { Accept: "text/event-stream", "Last-Event-ID": String(last) };
    return this.#signed(`/chat/${key}`, { headers, signal });
  }

  /** Stops the work for a question. */
  stop(key: string): void {
    this.#delete(`/chat/${key}`);
  }

  /** Gives what was said in a conversation. */
  async said(conversation: string): Promise<Said[]> {
    const reply = await this.#signed(`/conversations/${conversation}`, {});
    const { turns } = checked<{ turns: Said[] }>(await reply.json(), SAID);
    for (const { answer } of turns) if (answer) checked(answer, ANSWER);
    return turns;
  }

  /** Forgets a conversation at once. */
  forget(conversation: string): void {
    this.#delete(`/conversations/${conversation}`);
  }

  /** Whether this was heard makes no difference to the person. */
  #delete(path: string): void {
    this.#signed(path, { method: "DELETE", keepalive: true }).catch(() => undefined);
  }

  /** Tells what is thought of an answer. */
  async judge(verdict: Verdict): Promise<void> {
    await this.#signed("/feedback", this.#json(verdict));
  }

  #json(body: unknown, more: RequestInit = {}): RequestInit {
    const headers = { ...(more.headers as Record<string, string>), "Content-Type": "application/json" };
    return { ...more, method: "POST", headers, body: JSON.stringify(body) };
  }

  async #signed(path: string, more: RequestInit): Promise<Response> {
    const { sign_in } = await this.configuration();
    for (let isFirst = true; ; isFirst = false) {
      const bearer = await this.session.bearer(sign_in);
      const headers = { ...(more.headers as Record<string, string>), Authorization: `Bearer ${bearer}` };
      try {
        return await this.#call(path, { ...more, headers, cache: "no-store" });
      } catch (error) {
        if (!isStatus(error, 401)) throw error;
        this.session.drop();
        if (!isFirst) throw error;
      }
    }
  }

  async #read<T>(path: string, more: RequestInit = {}): Promise<T> {
    return (await (await this.#call(path, more)).json()) as T;
  }

  async #call(path: string, more: RequestInit): Promise<Response> {
    const limit = AbortSignal.timeout(CALL_MS);
    const reply = await fetch(`${this.server}/widget/v1${path}`, { signal: limit, ...more, credentials: "omit" });
    if (reply.ok) return reply;
    const told = (await reply.json().catch(() => null)) as { error?: { code?: string }; code?: string } | null;
    const after = Number(reply.headers.get("Retry-After")) || 0;
    throw new Refusal(reply.status, told?.error?.code ?? told?.code ?? "", after);
  }
}
