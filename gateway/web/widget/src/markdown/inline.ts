// Words within a line: emphasis, code and links. Whatever is not one of those is shown as it was written.
import { h } from "../dom";

const SCHEMES = ["http:", "https:", "mailto:"];
const DEEPEST = 6;
const LONGEST_LINK = 2000;
const MARKS: Record<string, "strong" | "em"> = { "**": "strong", "__": "strong", "*": "em", _: "em" };
const SPECIAL = /[\\`*_[]|https?:\/\//g;
const ADDRESS = /https?:\/\/[^\s<>"'`]{1,2000}/y;
const WORD = /[\p{L}\p{N}]/u;

/** Gives a link to where links may lead, null for every other address. */
export function link(address: string, ...words: (Node | string)[]): HTMLAnchorElement | null {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (!url || !SCHEMES.includes(url.protocol)) return null;
  return h("a", { href: url.href, rel: "noopener noreferrer nofollow", target: "_blank" }, ...words);
}

/** Gives the nodes of a line. */
export function inline(text: string, depth = 0): (Node | string)[] {
  if (depth > DEEPEST) return [text];
  return new Line(text, depth).read();
}

class Line {
  readonly #made: (Node | string)[] = [];
  readonly #missing = new Set<string>();
  #at = 0;
  #from = 0;

  constructor(
    private readonly text: string,
    private readonly depth: number,
  ) {}

  read(): (Node | string)[] {
    for (;;) {
      SPECIAL.lastIndex = this.#at; // shared by lines within lines
      const found = SPECIAL.exec(this.text);
      if (!found) break;
      this.#at = found.index;
      if (!this.#take()) this.#at += 1;
    }
    this.#flush(this.text.length);
    return this.#made;
  }

  #flush(until: number): void {
    if (until > this.#from) this.#made.push(this.text.slice(this.#from, until));
  }

  #put(node: Node | string, end: number): true {
    this.#flush(this.#at);
    this.#made.push(node);
    this.#from = this.#at = end;
    return true;
  }

  #take(): boolean {
    const { text } = this;
    const one = text[this.#at]!;
    if (one === "\\") return /[\\`*_[\]<>#|-]/.test(text[this.#at + 1] ?? "") && this.#put(text[this.#at + 1]!, this.#at + 2);
    if (one === "`") return this.#code();
    if (one === "[") return this.#link();
    if (one === "h") return this.#address();
    return this.#emphasis(one);
  }

  /** Finds what closes; what was not found once is not looked for again, which keeps long texts quick. */
  #find(what: string, from: number): number {
    if (this.#missing.has(what)) return -1;
    const at = this.text.indexOf(what, from);
    if (at < 0) this.#missing.add(what);
    return at;
  }

  #code(): boolean {
    const ticks = /`+/y;
    ticks.lastIndex = this.#at;
    const fence = ticks.exec(this.text)![0];
    const from = this.#at + fence.length;
    const end = this.#find(fence, from);
    if (end > 0) return this.#put(h("code", {}, this.text.slice(from, end).trim()), end + fence.length);
    this.#at = from - 1;
    return false;
  }

  #link(): boolean {
    const { text } = this;
    const middle = this.#find("](", this.#at);
    const end = middle < 0 ? -1 : this.#find(")", middle);
    if (end < 0 || end - this.#at > LONGEST_LINK) return false;
    const words = text.slice(this.#at + 1, middle);
    const address = text.slice(middle + 2, end).split(/\s/)[0] ?? "";
    if (text[this.#at - 1] === "!" || words.includes("[")) return false;
    const made = link(address, ...inline(words, DEEPEST));
    return made !== null && this.#put(made, end + 1);
  }

  #address(): boolean {
    ADDRESS.lastIndex = this.#at;
    const address = ADDRESS.exec(this.text)?.[0].replace(/[.,;:!?)\]*_]+$/, "") ?? "";
    const made = link(address, address);
    return made !== null && this.#put(made, this.#at + address.length);
  }

  #emphasis(one: string): boolean {
    const { text } = this;
    const mark = text[this.#at + 1] === one ? one + one : one;
    const from = this.#at + mark.length;
    const isInWord = one === "_" && WORD.test(text[this.#at - 1] ?? "");
    let end = isInWord || /\s/.test(text[from] ?? " ") ? -1 : this.#find(mark, from);
    if (mark.length === 2 && text[from] === one && text[end + 2] === one) end += 1; // both marks at once
    const isClosed = end > from && !/\s/.test(text[end - 1]!) && !(one === "_" && WORD.test(text[end + mark.length] ?? ""));
    if (isClosed) return this.#put(h(MARKS[mark]!, {}, ...inline(text.slice(from, end), this.depth + 1)), end + mark.length);
    this.#at = from - 1;
    return false;
  }
}
