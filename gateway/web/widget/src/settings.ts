// What the element's attributes and the client's configuration come to.
import { directionOf, knownLanguage, Texts } from "./texts";
import type { Configuration, Suggestion } from "./wire";

const LONGEST = 2000;
const COLOUR = /^[\w#(),.%/ -]{1,64}$/;

export interface Settings {
  lang: string;
  dir: string;
  texts: Texts;
  heading: string;
  greeting: string;
  suggestions: Suggestion[];
  position: string;
  longest: number;
  isInline: boolean;
  hasLauncher: boolean;
  hasFeedback: boolean;
}

export const ATTRIBUTES =
  "server client heading greeting suggestions lang dir position open inline launcher max-length".split(" ");

/** Reads the settings; attributes win, but nothing makes a question longer than the client takes. */
export function settingsOf(
  element: HTMLElement,
  configuration: Configuration | null,
  strings: Readonly<Record<string, string>> | null,
): Settings {
  const of = (name: string) => element.getAttribute(name);
  const lang = configuration?.lang ?? knownLanguage(of("lang"));
  const texts = new Texts(lang, [strings, configuration?.strings]);
  const own = of("suggestions")?.split("|").map((title) => ({ id: "", title: title.trim() }));
  return {
    lang,
    dir: of("dir") || directionOf(lang),
    texts,
    heading: of("heading") ?? configuration?.heading ?? "",
    greeting: of("greeting") ?? configuration?.greeting ?? "",
    suggestions: (own ?? configuration?.suggestions ?? []).filter(({ title }) => title).slice(0, 5),
    position: of("position") ?? configuration?.theme?.position ?? "end",
    longest: Math.min(Number(of("max-length")) || LONGEST, configuration?.max_length ?? LONGEST),
    isInline: element.hasAttribute("inline"),
    hasLauncher: of("launcher") !== "none",
    hasFeedback: !!configuration?.feedback,
  };
}

/** Gives the client's colours as rules that the page's own may override; what is no colour is left out. */
export function themeRules(theme: Configuration["theme"]): string {
  const rules = { accent: theme?.accent, "on-accent": theme?.on_accent };
  const told = Object.entries(rules).map(([name, value = ""]) =>
    COLOUR.test(value) && CSS.supports("color", value) ? `--cg-${name}:${value};` : "",
  );
  return `:host{${told.join("")}${theme?.radius! >= 0 ? `--cg-radius:${theme!.radius}px` : ""}}`;
}
