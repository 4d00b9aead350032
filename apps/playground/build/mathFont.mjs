/**
 * Makes `src/style/mathFont.woff2` anew: STIX Two Math with the characters of `mathCharacters.json` and what their brackets, roots and sums are built of.
 *
 *     npm install --no-save @fontsource/stix-two-math subset-font     (in a folder of its own)
 *     node build/mathFont.mjs THAT_FOLDER
 *
 * Both are needed only here, so the project does not depend on them. `test/unit/mathFont.test.ts` fails when a formula needs a character that is missing.
 */
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const folder = resolve(process.argv[2] ?? ".");
const require = createRequire(join(folder, "package.json"));
const { default: subsetFont } = await import(require.resolve("subset-font"));
const style = join(import.meta.dirname, "../src/style");
const characters = JSON.parse(await readFile(join(style, "mathCharacters.json"), "utf8"));
const whole = join(folder, "node_modules/@fontsource/stix-two-math/files/stix-two-math-latin-400-normal.woff2");
const font = await subsetFont(await readFile(whole), characters, { targetFormat: "woff2" });
await writeFile(join(style, "mathFont.woff2"), font);
console.log(`${font.length} bytes, ${[...characters].length} characters`);
