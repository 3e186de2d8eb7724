// What was asked and answered, and the one question that may be on its way.
import { Exchange, happens, pause, type Listener } from "./exchange";
import type { Gateway } from "./gateway";
import type { Memory } from "./storage";
import type { Page } from "./session";
import { isOpen, newKey, newTurn, type Trouble, type Turn } from "./turn";
import { isStatus, Refusal, type Answer } from "./wire";

const SLOW_MS = 10_000;
const ASK_FIRST_MS = 300_000;

/** Hears of changes: of one turn, or of all of them. */
export interface Watcher {
  changed(turn: Turn): void;
  replaced(): void;
  asked(turn: Turn): void;
  answered(turn: Turn): void;
  failed(turn: Turn, error: unknown): void;
}

export class Conversation {
  turns: Turn[] = [];
  #stop = new AbortController();
  #confirm: (() => void) | null = null;

  constructor(
    private readonly gateway: Gateway,
    private readonly memory: Memory,
    private readonly watcher: Watcher,
    private readonly page: Page,
  ) {}

  get last(): Turn | undefined {
    return this.turns.at(-1);
  }

  get isBusy(): boolean {
    return !!this.last && isOpen(this.last);
  }

  /** Asks; gives false where there is nothing to ask or a question is still on its way. */
  ask(message: string): boolean {
    const text = message.trim();
    if (!text || this.isBusy) return false;
    const turn = newTurn(text, newKey(), this.last?.answer?.slot?.type === "date");
    this.turns.push(turn);
    this.watcher.asked(turn);
    void this.#run(turn, false);
    return true;
  }

  /** Asks the last question once more, as a new one. */
  retry(): void {
    const turn = this.turns.pop();
    if (!turn) return;
    this.watcher.replaced();
    this.ask(turn.message);
  }

  /** Sends a question that waited so long that the person was asked first. */
  confirm(): void {
    this.#confirm?.();
  }

  /** Stops what is on its way. */
  stop(): void {
    const turn = this.last;
    if (!turn || !isOpen(turn)) return;
    const wasSent = turn.phase === "sending";
    turn.phase = "stopped";
    this.#stop.abort();
    if (wasSent) this.gateway.stop(turn.key);
    this.watcher.changed(turn);
  }

  /** Begins anew; the gateway forgets at once what was said. */
  async reset(): Promise<void> {
    this.stop();
    this.turns = [];
    this.watcher.replaced();
    const id = await this.memory.take();
    if (id) this.gateway.forget(id);
  }

  /** Lets go of everything without telling anybody, as the page is left or the element taken away. */
  leave(): void {
    this.#stop.abort();
  }

  /** Shows what was said before a reload, and follows the answer that is still being made. */
  async resume(): Promise<void> {
    const id = await this.memory.restore();
    if (!id || this.turns.length) return;
    const said = await this.gateway.said(id).catch(async (error: unknown) => {
      // Nobody is told of somebody's conversation: where signing in is optional, a token may still come.
      if (isStatus(error, 404) && (await this.gateway.configuration()).sign_in !== "optional") this.memory.value = null;
      return [];
    });
    if (id !== this.memory.value || this.turns.length) return;
    for (const { key, message, answer } of said) {
      const turn = newTurn(message, key, this.last?.answer?.slot?.type === "date");
      turn.answer = answer;
      turn.phase = answer ? "done" : "stopped";
      this.turns.push(turn);
    }
    const { last } = this;
    const isOver = !last || last.answer;
    if (!isOver) last.phase = "sending";
    this.watcher.replaced();
    if (!isOver) void this.#run(last, true);
  }

  async #run(turn: Turn, isResumed: boolean): Promise<void> {
    const stop = (this.#stop = new AbortController());
    const slow = setTimeout(() => this.#change(turn, { isSlow: true }), SLOW_MS);
    const asked = { message: turn.message, conversation: this.memory.value, context: this.page.context ?? null };
    try {
      const listener = this.#listener(turn, stop.signal);
      const exchange = new Exchange(this.gateway, turn.key, asked, listener, stop.signal, isResumed);
      this.#finish(turn, await exchange.run());
    } catch (error) {
      if (stop.signal.aborted) return;
      turn.trouble = troubleOf(error);
      // Somebody stopped it before the page was loaded anew.
      turn.phase = (error as Refusal | undefined)?.code === "client_closed_request" ? "stopped" : "failed";
      this.watcher.changed(turn);
      if (turn.phase === "failed") this.watcher.failed(turn, error);
    } finally {
      clearTimeout(slow);
    }
  }

  #finish(turn: Turn, answer: Answer): void {
    if (turn.phase === "stopped") return;
    turn.answer = answer;
    turn.phase = "done";
    if (answer.conversation) this.memory.value = answer.conversation;
    this.watcher.changed(turn);
    this.watcher.answered(turn);
  }

  #change(turn: Turn, values: Partial<Turn>): void {
    if (!isOpen(turn)) return;
    Object.assign(turn, values);
    this.watcher.changed(turn);
  }

  #listener(turn: Turn, signal: AbortSignal): Listener {
    return {
      conversation: (id) => {
        if (!signal.aborted) this.memory.value = id;
      },
      change: (values) => this.#change(turn, values),
      limited: (seconds) => this.#countDown(turn, seconds, signal),
      offline: () => this.#waitForNetwork(turn, signal),
    };
  }

  async #countDown(turn: Turn, seconds: number, signal: AbortSignal): Promise<void> {
    const until = Date.now() + seconds * 1000;
    for (let left = seconds; left > 0; left = Math.ceil((until - Date.now()) / 1000)) {
      this.#change(turn, { phase: "limited", seconds: left });
      await pause(Math.min(1000, until - Date.now()), signal);
    }
    this.#change(turn, { phase: "sending", seconds: 0 });
  }

  async #waitForNetwork(turn: Turn, signal: AbortSignal): Promise<void> {
    const since = Date.now();
    this.#change(turn, { phase: "queued" });
    await happens((done) => addEventListener("online", done, { once: true, signal }), signal);
    if (Date.now() - since > ASK_FIRST_MS) {
      this.#change(turn, { phase: "confirm" });
      await happens((done) => (this.#confirm = done), signal);
    }
    this.#change(turn, { phase: "sending" });
  }
}

const TROUBLES: Record<number, Trouble> = { 0: "unavailable", 401: "signed_out", 403: "not_here", 404: "lost", 413: "refused", 422: "refused" };

function troubleOf(error: unknown): Trouble {
  if (!(error instanceof Refusal) || error.status >= 500) return "unavailable";
  return TROUBLES[error.status] ?? "failed";
}
