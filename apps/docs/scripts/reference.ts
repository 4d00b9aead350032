/**
 * Writes the reference that is made from declarations: a page for each op of the table and each family of models, in `reference/`, which git
 * ignores. `pnpm docs` runs it; the pages of the API come from the docstrings (`scripts/docs.mjs`).
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { opTable } from "@statespace/core/backend";
import { families } from "@statespace/models";
import { familyPage, familyIndex } from "./families.ts";
import { opIndex, opPage } from "./ops.ts";

const reference = join(import.meta.dirname, "..", "reference");

function write(folder: string, name: string, text: string): void {
  mkdirSync(join(reference, folder), { recursive: true });
  writeFileSync(join(reference, folder, `${name}.md`), text);
}

for (const folder of ["ops", "families"]) rmSync(join(reference, folder), { recursive: true, force: true });
const specs = Object.values(opTable).map(({ spec }) => spec);
for (const spec of specs) write("ops", spec.name, opPage(spec));
write("ops", "index", opIndex(specs));
const sources = join(import.meta.dirname, "..", "..", "..", "packages", "models", "src", "families");
for (const family of families)
  write(
    "families",
    family.name,
    familyPage(family, (file) => readFileSync(join(sources, file), "utf8")),
  );
write("families", "index", familyIndex(families));
console.log(`reference: ${specs.length} ops, ${families.length} families`);
