// What the views of one widget share, and what a person can do through them.
import type { Conversation } from "../conversation";
import type { Gateway } from "../gateway";
import type { Settings } from "../settings";
import type { Texts } from "../texts";
import type { Configuration, Contact, Verdict } from "../wire";

export interface Desk {
  texts: Texts;
  /** The client's contact; null until the configuration is there, and where there is none. */
  contact: Contact | null;
  hasFeedback: boolean;
  longest: number;
  ask(message: string): void;
  retry(): void;
  confirm(): void;
  stop(): void;
  judge(verdict: Verdict): Promise<void>;
  say(text: string): void;
  /** Puts the focus on the first control there, unless somebody writes or is elsewhere. */
  point(next: HTMLElement): void;
}

/** What the element does beside a deed. */
interface Hooks {
  focus(): void;
  point(next: HTMLElement): void;
  judged(verdict: Verdict): void;
  say(text: string): void;
}

/** Makes the desk of a widget: after each deed the focus is where the next question is typed. */
export function deskOf(
  { texts, hasFeedback, longest }: Settings,
  configuration: Configuration | null,
  { gateway, conversation }: { gateway: Gateway; conversation: Conversation },
  { focus, judged, say, point }: Hooks,
): Desk {
  const then = (deed: (message: string) => unknown) => (message = "") => {
    deed.call(conversation, message);
    focus();
  };
  return {
    texts,
    contact: configuration?.contact ?? null,
    hasFeedback,
    longest,
    ask: then(conversation.ask),
    retry: then(conversation.retry),
    confirm: then(conversation.confirm),
    stop: then(conversation.stop),
    judge: async (verdict) => {
      await gateway.judge(verdict);
      judged(verdict);
    },
    say,
    point,
  };
}
