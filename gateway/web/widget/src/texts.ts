// The widget's own words: the page's, then those that the gateway sends in the asked language, then what is built in.
import { languages, names } from "canongate:texts";
import type english from "../texts/en.json";

export type TextName = keyof typeof english;

const RIGHT_TO_LEFT = /^(ar|fa|he|ur)\b/;

/** Gives the language that is asked for: the element's, the page's, the browser's. */
export function chosenLanguage(attribute: string | null): string {
  return attribute || document.documentElement.lang || navigator.language || "en";
}

/** Gives that language where the widget has words of its own in it, else English. */
export function knownLanguage(attribute: string | null): string {
  const base = chosenLanguage(attribute).toLowerCase().split("-")[0]!;
  return languages[base] ? base : "en";
}

/** Gives the direction that a language is written in. */
export function directionOf(language: string): "rtl" | "ltr" {
  return RIGHT_TO_LEFT.test(language) ? "rtl" : "ltr";
}

export class Texts {
  constructor(
    readonly locale: string,
    private readonly overrides: readonly (Readonly<Record<string, string>> | null | undefined)[],
  ) {}

  /** Gives a text; `{name}` in it becomes the value of that name. */
  of(name: TextName, values: Readonly<Record<string, string | number>> = {}): string {
    return this.parts(name, values).join("");
  }

  /** Gives a text in pieces, so that a value can be a node of its own. */
  parts<T>(name: TextName, values: Readonly<Record<string, T>>): (string | T)[] {
    const own = this.overrides.find((one) => one?.[name])?.[name];
    const built = (locale: string) => languages[locale]?.split("|")[names.indexOf(name)];
    const text = own ?? built(this.locale) ?? built("en") ?? "";
    return text.split(/\{(\w+)\}/).map((part, index) => (index % 2 ? (values[part] ?? "") : part));
  }
}
