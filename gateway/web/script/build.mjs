// Builds the scripts into ../dist, which is never committed; the gateway serves what it finds there.
import { rmSync } from "node:fs";
import { build } from "esbuild";

rmSync("../dist", { recursive: true, force: true });
await build({
  entryPoints: ["src/page.ts", "src/editor.ts"],
  outdir: "../dist",
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2022"],
  legalComments: "inline",
  logLevel: "warning",
});
