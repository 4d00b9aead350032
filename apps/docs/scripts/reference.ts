/**
 * Writes the reference, in both languages: a page for each op of the table, each family of models and each public name, in `reference/` and
 * `zh/reference/`, which git ignores. `pnpm docs` runs it after `scripts/docs.mjs` wrote the pages of names to two folders.
 * `reference.ts EN-FOLDER ZH-FOLDER`
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { opTable } from "@statespace/core/backend";
import { families } from "@statespace/models";
import { decorate, readApi, type Language } from "./api.ts";
import { familyIndex, familyPage, familyRows } from "./families.ts";
import { opIndex, opPage } from "./ops.ts";
import { opPrograms, programs } from "./programs.ts";

const site = join(import.meta.dirname, "..");
const repository = join(site, "..", "..");
const specs = Object.values(opTable).map(({ spec }) => spec);
const ofOps = opPrograms(specs);
const all = [...ofOps.map(({ program }) => program), ...programs];
const readme = readFileSync(join(repository, "packages", "models", "src", "families", "README.md"), "utf8");
const tried = familyRows(readFileSync(join(repository, "docs", "parity.md"), "utf8"));

function writeReference(language: Language, names: string): void {
  const reference = join(site, language === "en" ? "." : language, "reference");
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(reference, path)), { recursive: true });
    writeFileSync(join(reference, path), text);
  };
  rmSync(reference, { recursive: true, force: true });
  for (const { spec, program, example } of ofOps)
    write(`ops/${spec.name}.md`, opPage(spec, program.code, example, language));
  write("ops/index.md", opIndex(specs, language));
  for (const family of families) write(`families/${family.name}.md`, familyPage(family, readme, tried, language));
  write("families/index.md", familyIndex(families, language));
  cpSync(names, join(reference, "api"), { recursive: true });
  for (const [path, text] of decorate(readApi(names), all, language)) write(`api/${path}`, text);
}

const [en, zh] = process.argv.slice(2);
if (en === undefined || zh === undefined)
  throw new Error("reference.ts: where are the pages of names? EN-FOLDER ZH-FOLDER");
writeReference("en", en);
writeReference("zh", zh);
console.log(
  `reference: ${specs.length} ops, ${families.length} families, ${readApi(en).length} names, each in two languages`,
);
