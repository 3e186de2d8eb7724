// Builds the widget and its loader into ../dist, beside the scripts of the admin pages, which stay as they are, and the
// client for programs into dist of this package, beside the types that tsc has put there.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { build, transform } from "esbuild";
import { minify } from "terser";

/** Before the configuration, which brings all texts of its language, or without one: what everybody may see. */
const early = ["launcher", "unavailable", "retry"];
/** What else may be shown then, in English alone, for want of room. */
const rare = ["not_here", "close", "heading", "message", "send", "reset", "log"];

const texts = {
  name: "texts",
  setup(made) {
    made.onResolve({ filter: /^canongate:texts$/ }, () => ({ path: "texts", namespace: "texts" }));
    made.onLoad({ filter: /.*/, namespace: "texts" }, () => {
      const listed = readdirSync("texts").map((file) => {
        const told = JSON.parse(readFileSync(`texts/${file}`, "utf8"));
        const names = file === "en.json" ? [...early, ...rare] : early;
        return [file.replace(".json", ""), names.map((name) => told[name]).join("|")];
      });
      const languages = JSON.stringify(Object.fromEntries(listed));
      const names = [...early, ...rare].join("|");
      return { contents: `export const names = "${names}".split("|"); export const languages = ${languages};` };
    });
  },
};

/** The style sheet as a text without what only people read. */
const styles = {
  name: "styles",
  setup(made) {
    made.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(readFileSync(path, "utf8"), { loader: "css", minify: true });
      return { contents: code.replace(/([:,]) /g, "$1").trim(), loader: "text" }; // esbuild leaves blanks in custom properties
    });
  },
};

/** Constants of one line, put where they are used: numbers, and what is used once. esbuild keeps a variable for each. */
const constants = {
  name: "constants",
  setup(made) {
    made.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      let written = readFileSync(path, "utf8");
      for (const [line, name, value] of written.matchAll(/^const ([A-Z_]+)(?:: [^=]+)? = (.+);(?: \/\/.*)?$/gm)) {
        const without = written.replace(line, "");
        const places = new RegExp(`\\b${name}\\b`, "g");
        if (/^[\d_.]+$/.test(value) || without.match(places)?.length === 1) written = without.replace(places, () => value);
      }
      return { contents: written, loader: "ts" };
    });
  },
};

/** Names of properties that neither the page nor the wire sees: the longer ones of ours are shortened. */
const own =
  "gateway|listener|watcher|memory|phase|isDay|isSlow|isAgain|seconds|bearer|drop|asked|isResumed|withheld|again|limited|" +
  "offline|changed|replaced|answered|failed|texts|hasFeedback|judge|say|retry|confirm|isBusy|draft|composer|notice|" +
  "launcher|news|isInline|hasLauncher|longest|configuration|said|follow|forget|reveal|settings|desk|depth|announcer|" +
  "overrides|isResuming|exchange|turn|panel|locale|node|show|update|input|empty|parts|lines|run|words|kind|form|trouble|change|server|leave|resume|restore|depth|log|vouched|build|upgrade|emit|page|actions|judged|tell|alert|point|room|clear|take|last|after";

mkdirSync("../dist", { recursive: true });
const shared = { bundle: true, minify: true, target: ["es2022"], charset: "utf8", logLevel: "warning" };
await build({
  ...shared,
  entryPoints: { widget: "src/widget.ts" },
  outdir: "../dist",
  format: "esm",
  plugins: [texts, styles, constants],
  mangleProps: new RegExp(`^(${own})$`),
});
const entryPoints = { loader: "src/loader.ts", frame: "src/frame.ts" };
await build({ ...shared, entryPoints, outdir: "../dist", format: "iife" });

/** terser finds 200 bytes (gzipped) in the widget that esbuild leaves. */
const compress = { passes: 5, ecma: 2022, sequences: false, inline: 1, unsafe: true, unsafe_methods: true, unsafe_arrows: true, pure_getters: true };
const made = await minify(readFileSync("../dist/widget.js", "utf8"), { module: true, compress, format: { ecma: 2022 } });
writeFileSync("../dist/widget.js", made.code);

const { version } = JSON.parse(readFileSync("package.json", "utf8"));
await build({
  ...shared,
  entryPoints: { index: "src/client/index.ts" },
  outdir: "dist/client",
  format: "esm",
  minify: false,
  define: { VERSION: JSON.stringify(version) },
});
