// The parts of a widget that live as long as its server and client stay the same.
import { Conversation, type Watcher } from "./conversation";
import { Gateway } from "./gateway";
import type { Page } from "./session";
import { Memory } from "./storage";
import { chosenLanguage } from "./texts";

export interface Live {
  gateway: Gateway;
  memory: Memory;
  conversation: Conversation;
}

/** Begins; without a server, the widget's own gateway is asked. */
export function begin(element: HTMLElement & Page, watcher: Watcher): Live {
  const of = (name: string) => element.getAttribute(name) ?? "";
  const server = (of("server") || new URL(import.meta.url).origin).replace(/\/$/, "");
  const gateway = new Gateway(server, of("client"), chosenLanguage(of("lang")), element);
  const memory = new Memory(`canongate ${server} ${of("client")} ${element.id}`);
  return { gateway, memory, conversation: new Conversation(gateway, memory, watcher, element) };
}
