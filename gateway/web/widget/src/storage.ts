// The conversation's id is all that stays in the browser, for this tab alone.

const ANSWER_MS = 120;
const kept = new Set<string>();

/** Keeps one id under one name, or in memory where the browser keeps nothing. Of alike names, the later are longer. */
export class Memory {
  #value: string | null = null;
  #looking: Promise<string | null> | null = null;
  #channel: BroadcastChannel | null = null;

  constructor(private name: string) {
    while (kept.has(this.name)) this.name += "+";
    kept.add(this.name);
  }

  get value(): string | null {
    return this.#value;
  }

  set value(value: string | null) {
    this.#value = value;
    this.#looking = null;
    try {
      if (value) sessionStorage.setItem(this.name, value);
      else sessionStorage.removeItem(this.name);
      if (value) void this.#listen();
    } catch {
      // The value above is what is left.
    }
  }

  /** Takes up what this tab kept, unless it was let go of meanwhile. */
  async restore(): Promise<string | null> {
    const looking = (this.#looking = this.#mine());
    const mine = await looking;
    if (mine && looking === this.#looking) this.value = mine;
    return this.#value;
  }

  /** Lets go of what this tab kept, and gives it. */
  take(): Promise<string | null> {
    const mine = this.#mine();
    this.value = null;
    return mine;
  }

  /** Lets go of the name; what is stored stays for the next page of this tab. */
  close(): void {
    this.#channel?.close();
    this.#channel = this.#looking = null;
    kept.delete(this.name);
  }

  /** Gives what this tab kept; null when another tab, of which this one is a copy, still has it. */
  async #mine(): Promise<string | null> {
    if (this.#value) return this.#value;
    try {
      const found = sessionStorage.getItem(this.name);
      if (found && !(await this.#listen(found))) return found;
    } catch {
      // A browser that keeps nothing has nothing.
    }
    return null;
  }

  /** Answers other tabs whose the conversation is; with `found`, asks them first. */
  #listen(found?: string): Promise<boolean> {
    const channel = (this.#channel ??= new BroadcastChannel(this.name));
    return new Promise((resolve) => {
      channel.onmessage = ({ data }) => {
        if (data === `mine ${found}`) resolve(true);
        else if (this.#value && data === `whose ${this.#value}`) channel.postMessage(`mine ${this.#value}`);
      };
      if (!found) return;
      channel.postMessage(`whose ${found}`);
      setTimeout(() => resolve(false), ANSWER_MS);
    });
  }
}
