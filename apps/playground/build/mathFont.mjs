/**
 * Makes `src/style/mathFont.woff2` anew: STIX Two Math with the characters of `mathCharacters.json` and what their brackets, roots and sums are built of,
 * without hints for coarse screens.
 *
 *     npm install --no-save @fontsource/stix-two-math && pip install fonttools brotli      (in a folder of its own)
 *     node build/mathFont.mjs THAT_FOLDER
 *
 * Both are needed only here, so the project does not depend on them. `test/unit/mathFont.test.ts` fails when a formula needs a character that is missing.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const style = join(import.meta.dirname, "../src/style");
const folder = resolve(process.argv[2] ?? ".");
const text = join(tmpdir(), "math-characters.txt");
writeFileSync(text, JSON.parse(readFileSync(join(style, "mathCharacters.json"), "utf8")));
execFileSync("pyftsubset", [
  join(folder, "node_modules/@fontsource/stix-two-math/files/stix-two-math-latin-400-normal.woff2"),
  `--text-file=${text}`,
  "--no-hinting",
  "--flavor=woff2",
  "--drop-tables+=GPOS,GDEF,GSUB,DSIG,gasp",
  "--layout-features=",
  "--name-IDs=",
  `--output-file=${join(style, "mathFont.woff2")}`,
]);
console.log(`${statSync(join(style, "mathFont.woff2")).size} bytes`);
