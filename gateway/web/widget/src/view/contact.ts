// Who takes over, or can be asked where the assistant is of no help.
import { h } from "../dom";
import { link } from "../markdown/inline";
import type { Contact } from "../wire";
import type { Desk } from "./desk";

/** Makes the card of a contact; null where there is none. */
export function contactCard({ texts }: Desk, contact: Contact | null): HTMLElement | null {
  if (!contact) return null;
  const { name, email, phone, url, hours } = contact;
  const ways = [
    h("strong", {}, name),
    email && link(`mailto:${email}`, email),
    phone && h("a", { href: `tel:${phone.replace(/[^\d+]/g, "")}`, dir: "ltr" }, phone),
    url && link(url, url),
    hours,
  ];
  const rows = ways.filter(Boolean).map((one) => h("p", { dir: "auto" }, one));
  return h("section", { class: "card", "aria-label": texts.of("contact") }, h("p", { class: "meta" }, texts.of("handoff")), ...rows);
}
