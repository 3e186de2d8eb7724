// Answers as nodes: paragraphs, headings, lists, code and tables. Nothing else can come out of it.
import { h } from "../dom";
import { inline } from "./inline";

const LONGEST = 16_000;
const DEEPEST = 4;
const FENCE = /^ {0,3}(```+)/;
const HEADING = /^ {0,3}#{1,6}\s+(.*)$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const RULED = /^\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?$/;

/** Gives the nodes of an answer; what is longer than an answer may be is cut. */
export function blocks(text: string): Node[] {
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)} …` : text;
  return new Reader(cut.replace(/\r\n?/g, "\n").split("\n"), 0).read();
}

/** Gives the words of nodes, one line for each block: what is spoken. */
export function plain(nodes: Iterable<Node>): string {
  let told = "";
  for (const node of nodes) {
    const words = node instanceof Element ? plain(node.childNodes) : (node.textContent ?? "");
    told += node instanceof Element && /^(P|LI|TR|PRE|UL|OL)$/.test(node.tagName) ? `\n${words}\n` : words;
    if (node instanceof Element && /^T[HD]$/.test(node.tagName)) told += " ";
  }
  const lines = told.split("\n").map((line) => line.trim());
  return lines.filter(Boolean).join("\n");
}

class Reader {
  #at = 0;

  constructor(
    private readonly lines: string[],
    private readonly depth: number,
  ) {}

  read(): Node[] {
    const made: Node[] = [];
    while (this.#at < this.lines.length) {
      if (this.#line.trim()) made.push(this.#block());
      else this.#at += 1;
    }
    return made;
  }

  get #line(): string {
    return this.lines[this.#at]!;
  }

  #block(): Node {
    const fence = FENCE.exec(this.#line)?.[1];
    if (fence) return this.#code(fence);
    const heading = HEADING.exec(this.#line);
    if (heading) {
      this.#at += 1;
      return h("p", { dir: "auto" }, h("strong", {}, ...inline(heading[1]!)));
    }
    if (this.#isTable()) return this.#table();
    return ITEM.test(this.#line) && this.depth < DEEPEST ? this.#list() : this.#paragraph();
  }

  #isTable(): boolean {
    const next = this.lines[this.#at + 1]?.trim() ?? "";
    return this.#line.includes("|") && next.includes("|") && RULED.test(next);
  }

  #code(fence: string): Node {
    const from = ++this.#at;
    while (this.#at < this.lines.length && !this.#line.trimStart().startsWith(fence)) this.#at += 1;
    const words = this.lines.slice(from, this.#at++).join("\n");
    return h("pre", { dir: "ltr", tabindex: 0 }, h("code", {}, words));
  }

  #paragraph(): Node {
    const from = this.#at++;
    while (this.#at < this.lines.length && this.#line.trim() && !this.#isStart()) this.#at += 1;
    const made: (Node | string)[] = [];
    this.lines.slice(from, this.#at).forEach((line, index) => {
      if (index) made.push(/ {2}$|\\$/.test(this.lines[from + index - 1]!) ? h("br") : "\n");
      made.push(...inline(line.trim().replace(/\\$/, "")));
    });
    return h("p", { dir: "auto" }, ...made);
  }

  #isStart(): boolean {
    return FENCE.test(this.#line) || HEADING.test(this.#line) || ITEM.test(this.#line) || this.#isTable();
  }

  #list(): Node {
    const [, indent, mark] = ITEM.exec(this.#line)!;
    const isNumbered = /\d/.test(mark!);
    const start = parseInt(mark!, 10);
    const items: Node[] = [];
    for (let found; (found = this.#at < this.lines.length ? ITEM.exec(this.#line) : null); ) {
      if (found[1]!.length < indent!.length || /\d/.test(found[2]!) !== isNumbered) break;
      items.push(this.#item(found[1]!.length, found[3]!));
    }
    return h(isNumbered ? "ol" : "ul", { start: isNumbered && start !== 1 && start, dir: "auto" }, ...items);
  }

  #item(indent: number, first: string): Node {
    this.#at += 1;
    const own: string[] = [];
    while (this.#at < this.lines.length) {
      const isBlank = !this.#line.trim();
      const next = isBlank ? (this.lines[this.#at + 1] ?? "") : this.#line;
      const depth = next.length - next.trimStart().length;
      if (!next.trim() || (depth <= indent && (isBlank || this.#isStart()))) break;
      own.push(isBlank ? "" : this.#line.slice(Math.min(depth, indent + 2)));
      this.#at += 1;
    }
    if (this.#at < this.lines.length && !this.#line.trim() && ITEM.test(this.lines[this.#at + 1] ?? "")) this.#at += 1;
    const words = first.trim();
    const [head, ...rest] = new Reader([words, ...own], this.depth + 1).read();
    // A short item needs no paragraph of its own.
    const lead = head instanceof HTMLParagraphElement ? [...head.childNodes] : head ? [head] : [];
    return h("li", {}, ...lead, ...rest);
  }

  #table(): Node {
    const rows: string[][] = [];
    while (this.#at < this.lines.length && this.#line.includes("|")) rows.push(cells(this.lines[this.#at++]!));
    const [head = [], , ...body] = rows;
    const row = (of: string[], tag: "th" | "td") =>
      h("tr", {}, ...head.map((_, index) => h(tag, { scope: tag === "th" && "col" }, ...inline(of[index] ?? ""))));
    const filled = body.map((one) => row(one, "td"));
    // The frame scrolls on its own, so that a wide table never widens the panel.
    return h("div", { class: "table", tabindex: 0 }, h("table", { dir: "auto" }, h("thead", {}, row(head, "th")), h("tbody", {}, ...filled)));
  }
}

function cells(line: string): string[] {
  const bare = line.trim().replace(/^\||(?<!\\)\|$/g, "");
  return bare.split(/(?<!\\)\|/).map((one) => one.trim().replaceAll("\\|", "|"));
}
