// The editor of the Code view. It stands in a shadow root, so that its style sheets need no exception of the page's
// policy; the plain field below it stays what is sent. Tab leaves it, as it leaves any field.
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const COLOURS = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--accent)" },
  { tag: [tags.string, tags.content], color: "var(--fg)" },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: "var(--info)" },
  { tag: tags.comment, color: "var(--muted)", fontStyle: "italic" },
]);
const THEME = EditorView.theme({
  "&": { color: "var(--fg)", backgroundColor: "var(--bg)", fontSize: "0.8125rem", maxHeight: "70vh" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "2px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.25rem", minHeight: "24rem" },
  ".cm-content": { caretColor: "var(--fg)" },
  ".cm-cursor": { borderLeftColor: "var(--fg)" },
  ".cm-gutters": { color: "var(--muted)", backgroundColor: "var(--canvas)", borderRight: "1px solid var(--hairline)" },
  ".cm-activeLine": { backgroundColor: "transparent" },
  "&.cm-focused .cm-activeLine": { backgroundColor: "var(--canvas)" },
  ".cm-selectionBackground, &.cm-focused .cm-selectionBackground": { backgroundColor: "var(--accent-subtle) !important" },
  // The library draws these two with `data:` images, which the policy of the pages does not load.
  ".cm-lint-marker-error": { content: "normal" },
  ".cm-lint-marker-error::before": { content: '"✕"', color: "var(--danger)", fontWeight: "700" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--danger)" },
  ".cm-tooltip": { color: "var(--fg)", backgroundColor: "var(--bg)", border: "1px solid var(--control)" },
});

// Over a selection the browser would keep the look of what was there in a style attribute, which the policy forbids.
const TYPED_OVER = EditorView.domEventHandlers({
  beforeinput: (event, view) => {
    const { data, inputType } = event;
    if (inputType !== "insertText" || data === null || view.state.selection.main.empty || view.state.readOnly) return false;
    event.preventDefault();
    view.dispatch(view.state.replaceSelection(data), { userEvent: "input.type", scrollIntoView: true });
    return true;
  },
});

function diagnosticsOf(state: EditorState): Diagnostic[] {
  return [...document.querySelectorAll<HTMLElement>("[data-line]")].flatMap((one) => {
    const number = Number(one.dataset["line"]);
    if (!(number >= 1 && number <= state.doc.lines)) return [];
    const line = state.doc.line(number);
    const from = Math.min(line.to, line.from + Number(one.dataset["column"]) - 1);
    return [{ from, to: Math.max(from, line.to), severity: "error", message: one.dataset["message"] ?? "" }];
  });
}

function edit(field: HTMLTextAreaElement): void {
  const host = document.createElement("div");
  host.className = "editor";
  const root = host.attachShadow({ mode: "open" });
  const label = field.labels[0]?.textContent?.trim() ?? "";
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: field.value,
      extensions: [
        lineNumbers(),
        history(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        highlightActiveLine(),
        lintGutter(),
        yaml(),
        syntaxHighlighting(COLOURS),
        THEME,
        TYPED_OVER,
        keymap.of([...defaultKeymap.filter((one) => one.key !== "Mod-Enter"), ...historyKeymap, ...lintKeymap]),
        EditorState.readOnly.of(field.readOnly),
        EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0", spellcheck: "false", dir: "ltr" }),
        EditorView.updateListener.of((update) => {
          const text = update.docChanged ? update.state.doc.toString() : field.value;
          if (text === field.value) return;
          field.value = text;
          field.dispatchEvent(new Event("input", { bubbles: true }));
        }),
      ],
    }),
  });
  view.dispatch(setDiagnostics(view.state, diagnosticsOf(view.state)));
  field.addEventListener("change", () => {
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: field.value } });
  });
  field.hidden = true;
  field.after(host);
  for (const link of document.querySelectorAll<HTMLAnchorElement>(".note a[href='#f-text']")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      view.focus();
    });
  }
  document.addEventListener("renewed", () => view.dispatch(setDiagnostics(view.state, diagnosticsOf(view.state))));
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("[data-line] a") : null;
    const line = Number(link?.closest<HTMLElement>("[data-line]")?.dataset["line"]);
    if (!link || !line) return;
    event.preventDefault();
    const at = view.state.doc.line(Math.max(1, Math.min(line, view.state.doc.lines)));
    view.dispatch({ selection: { anchor: at.from }, scrollIntoView: true });
    view.focus();
  });
}

for (const field of document.querySelectorAll<HTMLTextAreaElement>("textarea.code-field")) edit(field);
