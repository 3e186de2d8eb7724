// An answer: its words, where they come from, what can be done with it, and what can be asked next.
import { h, type Child } from "../dom";
import { blocks, plain } from "../markdown/blocks";
import type { TextName } from "../texts";
import type { Answer } from "../wire";
import { chips, iconButton } from "./controls";
import { contactCard } from "./contact";
import type { Desk } from "./desk";
import { FeedbackView } from "./feedback";
import { slotInput, wanted } from "./slot";

/** Whether a rail stopped the question or the answer. */
export function isBlocked({ outcome }: Answer): boolean {
  return outcome.startsWith("blocked");
}

/** Makes what stays of an answer, whatever is asked after it. */
export function answerNodes(desk: Desk, answer: Answer): Child[] {
  const { texts } = desk;
  const isOf = isBlocked(answer) ? "blocked" : answer.outcome === "degraded" ? "degraded" : answer.has_quoted_text && "quoted";
  const note = isOf && h("p", { class: "meta" }, texts.of(isOf));
  const done = h("p", { class: "meta" });
  const tell = (name: TextName) => desk.say((done.textContent = texts.of(name)));
  const words = h("div", { class: "words", part: "message" }, h("span", { class: "sr" }, texts.of("assistant_said")), ...blocks(answer.text));
  const isQuestion = answer.outcome === "clarify";
  const feedback = desk.hasFeedback && !isQuestion ? new FeedbackView(desk, answer, tell) : null;
  const contact = contactCard(desk, answer.contact ?? (answer.outcome === "no_match" ? desk.contact : null));
  const copy = navigator.clipboard && !isQuestion ? iconButton("copy", texts.of("copy"), () => copyWords(answer, tell)) : null;
  const tools = h("div", { class: "tools" }, source(desk, answer), copy, feedback?.up, feedback?.down);
  return [note, words, contact, tools, feedback?.form, done];
}

/** Makes what is offered under the last answer alone. */
export function nextNodes(desk: Desk, answer: Answer): Child[] {
  const { texts } = desk;
  const headings = { clarify: "did_you_mean", no_match: "suggestions" } as const;
  const heading = texts.of(headings[answer.outcome as keyof typeof headings] ?? "follow_ups");
  return [answer.slot && slotInput(desk, answer.slot), chips(desk, heading, answer.suggestions)];
}

/** Gives an answer as it is spoken: once, when it is complete, in plain words. */
export function spoken(desk: Desk, answer: Answer): string {
  const { texts } = desk;
  const told = plain(blocks(answer.text));
  const { length } = answer.suggestions;
  const more = answer.outcome === "clarify" && length ? texts.of("unsure", { n: length }) : wanted(desk, answer.slot);
  return `${told} ${more}`.trim();
}

function source({ texts }: Desk, answer: Answer): HTMLElement {
  const { prompt } = answer;
  if (!prompt || isBlocked(answer) || answer.outcome === "clarify") return h("span", { class: "source" });
  const values = { title: h("bdi", {}, prompt.title), version: String(prompt.version) };
  return h("span", { class: "meta source" }, ...texts.parts<Node | string>("based_on", values));
}

/**
 * Copies an answer as it was written, in Markdown: its words alone would have no numbers, indents and addresses.
 * In a frame the page around may not let it copy.
 */
function copyWords(answer: Answer, tell: (name: TextName) => void): void {
  navigator.clipboard.writeText(answer.text).then(
    () => tell("copied"),
    () => tell("not_copied"),
  );
}
