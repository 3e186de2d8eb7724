// Builds the scripts into ../dist, which is never committed; the gateway serves what it finds there.
import { copyFileSync, rmSync } from "node:fs";
import { build } from "esbuild";

for (const name of ["page.js", "editor.js"]) rmSync(`../dist/${name}`, { force: true });
await build({
  entryPoints: ["src/page.ts", "src/editor.ts", "src/reference.ts"],
  outdir: "../dist",
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2022"],
  legalComments: "inline",
  logLevel: "warning",
});

// Swagger UI for /docs: as it is published, with the licences that it asks to keep.
for (const name of ["swagger-ui-bundle.js", "swagger-ui-bundle.js.LICENSE.txt", "swagger-ui.css", "LICENSE", "NOTICE"])
  copyFileSync(`node_modules/swagger-ui-dist/${name}`, `../dist/${name.replace(/^(LICENSE|NOTICE)$/, "swagger-ui.$1.txt")}`);
