// Makes the element out of the script's own `data-*` and fetches the widget, so that one line installs it.

const script = document.currentScript as HTMLScriptElement;
const source = new URL(script.src);
const element = document.createElement("canongate-chat");
element.setAttribute("server", source.origin);
for (const [name, value] of Object.entries(script.dataset)) {
  element.setAttribute(name.replace(/[A-Z]/g, (one) => `-${one.toLowerCase()}`), value ?? "");
}
(window as unknown as { Canongate: HTMLElement }).Canongate = element;

function place(): void {
  document.body.append(element);
}
if (document.body) place();
else document.addEventListener("DOMContentLoaded", place);
void import(new URL("widget.js", source).href);
