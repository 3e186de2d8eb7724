// The module that a page loads: it defines the element, once however often it is loaded.
import { CanongateChat } from "./element";

if (!customElements.get("canongate-chat")) customElements.define("canongate-chat", CanongateChat);

export { CanongateChat };
export { blocks as render } from "./markdown/blocks";
