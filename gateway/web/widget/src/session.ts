// Who asks: the embedding page vouches for a person, and the gateway gives a short session for that, kept in memory.
import { within } from "./exchange";
import { Refusal } from "./wire";

export type Token = string | (() => string | null | Promise<string | null>) | null;
export type Exchange = (token: string | null) => Promise<{ session: string; expires_in: number }>;

/** What the page tells of itself and of the person; it may change at any time. */
export interface Page {
  token: Token;
  context: unknown;
}

const EARLY_MS = 20_000;
const TOKEN_MS = 15_000;

export class Session {
  #used: string | null = null;
  #until = 0;
  #opening: Promise<string> | null = null;

  constructor(
    private readonly page: Page,
    private readonly exchange: Exchange,
  ) {}

  /** Gives the session, opened anew shortly before it ends. */
  bearer(signIn: string): Promise<string> {
    if (Date.now() > this.#until) this.drop();
    return (this.#opening ??= this.#open(signIn).catch((error: unknown) => {
      this.drop();
      throw error;
    }));
  }

  /** Forgets the session, so that the next call opens another. */
  drop(): void {
    this.#opening = null;
  }

  async #open(signIn: string): Promise<string> {
    this.#until = Infinity;
    const { session, expires_in } = await this.exchange(signIn === "none" ? null : await this.#identity(signIn));
    this.#until = Date.now() + Math.max(expires_in * 1000 - EARLY_MS, EARLY_MS / 2);
    return session;
  }

  async #identity(signIn: string): Promise<string | null> {
    let told: string | null;
    try {
      const { token } = this.page;
      told = typeof token === "function" ? await within(TOKEN_MS, token()) : token;
    } catch {
      throw new Refusal(401, "identity_missing");
    }
    // The gateway takes a token once: to send one again could only be refused.
    if (told ? told === this.#used : signIn === "required") throw new Refusal(401, "identity_missing");
    this.#used = told;
    return told || null;
  }
}
