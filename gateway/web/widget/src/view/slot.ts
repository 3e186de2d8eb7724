// The blank that a question back asks for: choices as buttons, a day as a calendar, a number as a number.
import { attribute, h } from "../dom";
import type { Slot } from "../wire";
import { button } from "./controls";
import type { Desk } from "./desk";

const MOST_BUTTONS = 6;
const LONGEST_VALUE = 1000; // of a quoted text; every other value is shorter

/** Makes the input; what is chosen is asked as the next message. */
export function slotInput(desk: Desk, slot: Slot): HTMLElement {
  if (slot.type === "enum" && slot.values.length <= MOST_BUTTONS) {
    const made = slot.values.map((value) => button(value, () => desk.ask(value), "chip"));
    return h("div", { class: "slot row", role: "group", "aria-label": slot.ask, "aria-describedby": "wrong" }, slot.is_invalid && wrong(desk, slot), ...made);
  }
  const field = fieldOf(desk, slot);
  const problem = wrong(desk, slot);
  const submit = (event: Event) => {
    event.preventDefault();
    const text = field.value.trim();
    const n = [...text].length - Math.min(LONGEST_VALUE, desk.longest);
    if (n > 0) {
      problem.textContent = desk.texts.of("over", { n });
      field.before(problem);
      attribute(field, "aria-invalid", "true");
    } else if (text) return desk.ask(text);
    field.focus();
  };
  const go = h("button", { class: "button primary" }, desk.texts.of("continue"));
  return h("form", { class: "slot row", submit }, slot.is_invalid && problem, field, go);
}

/** Gives what an input takes, where what was said is none of it; empty where nothing was said yet. */
export function wanted({ texts }: Desk, slot: Slot | null): string {
  return slot?.is_invalid ? texts.of(slot.type === "enum" || slot.type === "date" ? `wrong_${slot.type}` : "wrong") : "";
}

function wrong(desk: Desk, slot: Slot): HTMLElement {
  return h("p", { id: "wrong", class: "failed" }, wanted(desk, slot));
}

function fieldOf({ texts }: Desk, slot: Slot): HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement {
  const shared = { class: "field", "aria-label": slot.ask, "aria-invalid": slot.is_invalid && "true", "aria-describedby": "wrong", dir: "auto" };
  if (slot.type === "enum") {
    const options = slot.values.map((value) => h("option", { value }, value));
    return h("select", shared, h("option", { value: "" }, texts.of("choose")), ...options);
  }
  if (slot.type === "quoted_text") return h("textarea", { ...shared, rows: 3 });
  const kind = { type: slot.type === "date" ? "date" : "text", inputmode: slot.type === "integer" && "numeric" };
  return h("input", { ...shared, ...kind, autocomplete: "off" });
}
