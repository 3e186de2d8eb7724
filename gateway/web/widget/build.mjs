// Builds the widget and its loader into ../dist, beside the scripts of the admin pages, which stay as they are.
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { build, transform } from "esbuild";

/** What may be shown before the configuration, which brings all texts of its language, or where there is none. */
const early = ["launcher", "close", "heading", "message", "send", "reset", "unavailable", "retry"];

const texts = {
  name: "texts",
  setup(made) {
    made.onResolve({ filter: /^canongate:texts$/ }, () => ({ path: "texts", namespace: "texts" }));
    made.onLoad({ filter: /.*/, namespace: "texts" }, () => {
      const listed = readdirSync("texts").map((file) => {
        const told = JSON.parse(readFileSync(`texts/${file}`, "utf8"));
        return [file.replace(".json", ""), early.map((name) => told[name])];
      });
      const languages = JSON.stringify(Object.fromEntries(listed));
      return { contents: `export const names = ${JSON.stringify(early)}; export const languages = ${languages};` };
    });
  },
};

/** The style sheet as a text without what only people read. */
const styles = {
  name: "styles",
  setup(made) {
    made.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(readFileSync(path, "utf8"), { loader: "css", minify: true });
      return { contents: code, loader: "text" };
    });
  },
};

/** Names of properties that neither the page nor the wire sees: the longer ones of ours are shortened. */
const own =
  "gateway|listener|watcher|memory|phase|isDay|isSlow|isAgain|seconds|bearer|drop|asked|isResumed|withheld|again|limited|" +
  "offline|changed|replaced|answered|failed|texts|hasFeedback|judge|say|retry|confirm|isBusy|draft|composer|notice|" +
  "launcher|news|isInline|hasLauncher|longest|configuration|said|follow|forget|reveal|settings|desk|depth|announcer|" +
  "overrides|isResuming|exchange|turn|panel|locale|node|show|update|input|empty|parts|lines|run|words|kind|form";

mkdirSync("../dist", { recursive: true });
const shared = { bundle: true, minify: true, target: ["es2022"], charset: "utf8", logLevel: "warning" };
await build({
  ...shared,
  entryPoints: { widget: "src/widget.ts" },
  outdir: "../dist",
  format: "esm",
  plugins: [texts, styles],
  mangleProps: new RegExp(`^(${own})$`),
});
await build({ ...shared, entryPoints: { loader: "src/loader.ts" }, outdir: "../dist", format: "iife" });
