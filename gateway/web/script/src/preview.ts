// The widget in a frame of a page: it wears what is chosen in the form before that is saved.

const COLOUR = /^#[0-9a-f]{6}$/i;
const RADIUS = /^([0-9]|[12][0-9]|3[0-2])$/;

interface Widget extends HTMLElement {
  ask?(text: string): boolean;
}

/** Shows in the frame, and beside the colours, what is typed into the form. */
export function previewForm(): void {
  const form = document.querySelector<HTMLFormElement>("form[data-widget]");
  if (!form) return;
  const frame = document.querySelector<HTMLIFrameElement>("iframe[data-preview]");
  const show = (): void => {
    const of = (name: string): string => (new FormData(form).get(name) ?? "").toString().trim();
    tellContrast(of("accent"), of("on_accent"));
    const widget = frame?.contentDocument?.querySelector<HTMLElement>("canongate-chat");
    if (!widget) return;
    for (const [name, rule] of [["accent", "--cg-accent"], ["on_accent", "--cg-on-accent"]] as const)
      if (COLOUR.test(of(name))) widget.style.setProperty(rule, of(name));
    if (RADIUS.test(of("radius"))) widget.style.setProperty("--cg-radius", `${of("radius")}px`);
    for (const name of ["heading", "greeting"]) {
      const field = form.elements.namedItem(`${name}_${frame?.dataset["lang"]}`);
      if (!(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement)) continue;
      if (field.value.trim()) widget.setAttribute(name, field.value.trim());
      else widget.removeAttribute(name);
    }
  };
  form.addEventListener("input", show);
  frame?.addEventListener("load", show);
  show();
}

/** Asks in the frame of the playground what was asked beside it, and says where the record of each answer is. */
export function askWidget(): void {
  const frame = document.querySelector<HTMLIFrameElement>("iframe[data-ask]");
  if (!frame) return;
  const begin = (): void => {
    const widget = frame.contentDocument?.querySelector<Widget>("canongate-chat");
    if (!widget?.ask) return;
    widget.addEventListener("canongate:message", (event) => {
      const { role, id } = (event as CustomEvent<{ role: string; id?: string }>).detail;
      const record = document.querySelector<HTMLAnchorElement>("a[data-record]");
      if (role !== "assistant" || !id || !record) return;
      record.href = `/admin/requests/${encodeURIComponent(id)}`;
      record.hidden = false;
    });
    if (frame.dataset["ask"]) widget.ask(frame.dataset["ask"]);
  };
  if (frame.contentDocument?.readyState === "complete" && frame.contentDocument.URL !== "about:blank") begin();
  else frame.addEventListener("load", begin, { once: true });
}

function tellContrast(accent: string, onAccent: string): void {
  const place = document.querySelector<HTMLElement>("form [data-contrast]");
  if (!place || !COLOUR.test(accent) || !COLOUR.test(onAccent)) return;
  const ratio = Math.floor(contrast(accent, onAccent) * 10) / 10;
  const isEnough = contrast(accent, onAccent) >= Number(place.dataset["contrast"]);
  const part = (name: string): HTMLElement | null => place.querySelector<HTMLElement>(`[data-${name}]`);
  const { digits = "0123456789", decimal = "." } = place.dataset;
  write(part("ratio"), ratio.toFixed(1).replace(".", decimal).replace(/[0-9]/g, (one) => digits[Number(one)] ?? one));
  write(part("better"), contrast(accent, "#000000") > contrast(accent, "#ffffff") ? "#000000" : "#ffffff");
  part("enough")?.toggleAttribute("hidden", !isEnough);
  part("low")?.toggleAttribute("hidden", isEnough);
  place.querySelector("rect")?.setAttribute("fill", accent);
  place.querySelector("text")?.setAttribute("fill", onAccent);
}

/** Writes only what differs, so that nothing is read out that was read out before. */
function write(place: HTMLElement | null, text: string): void {
  if (place && place.textContent !== text) place.textContent = text;
}

/** Contrast of two colours (WCAG 2.2, relative luminance); what is enough the server decides once more. */
function contrast(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((start) => {
    const part = parseInt(colour.slice(start, start + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
