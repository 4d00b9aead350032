#!/usr/bin/env node
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { BACKENDS, registerByName } from "./backends.ts";
import { runGolden, type GoldenResult } from "./golden/run.ts";
import { familyTable } from "./tables/families.ts";
import { parityTable } from "./tables/parity.ts";
import { supportTable } from "./tables/support.ts";

const USAGE = `usage: tables [--backend cpu,wasm,webgpu] [--support | --families] [--write FILE,FILE]
Prints the support table (op x backend x forward / backward), the parity table (golden group x backend) and the table of families (published
checkpoints, formats in and out, parity). With --support, the support table alone, which runs nothing; with --families, that of families alone.
With --write, replaces the parts of those files between <!-- NAME:begin --> and <!-- NAME:end -->.`;

/** Replaces what stands between a table's markers. @throws Error when a file lacks them. */
function writeBetween(file: string, tables: Readonly<Record<string, string>>): void {
  let text = readFileSync(file, "utf8");
  for (const [name, table] of Object.entries(tables)) {
    const pattern = new RegExp(`(<!-- ${name}:begin -->)[\\s\\S]*?(<!-- ${name}:end -->)`);
    if (!pattern.test(text)) throw new Error(`${file} has no <!-- ${name}:begin --> ... <!-- ${name}:end -->`);
    text = text.replace(pattern, (_, begin: string, end: string) => `${begin}\n${table}\n${end}`);
  }
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

const GOLDEN = new URL("../golden", import.meta.url).pathname;

async function compared(backends: readonly string[], group?: string): Promise<GoldenResult[]> {
  await registerByName(backends);
  const results: GoldenResult[] = [];
  for await (const result of runGolden(GOLDEN, backends, group)) results.push(result);
  return results;
}

const { values } = parseArgs({
  options: {
    backend: { type: "string", default: BACKENDS.join(",") },
    support: { type: "boolean", default: false },
    families: { type: "boolean", default: false },
    write: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) console.log(USAGE);
else {
  const tables: Record<string, string> = {};
  const backends = values.backend.split(",");
  if (!values.families) tables["support"] = supportTable();
  if (!values.support) {
    const results = await compared(backends, values.families ? "hf" : undefined);
    if (!values.families) tables["parity"] = parityTable(results, backends);
    tables["families"] = await familyTable(GOLDEN, results, backends);
  }
  for (const [name, table] of Object.entries(tables)) console.log(`${name}\n\n${table}\n`);
  for (const file of values.write?.split(",") ?? []) writeBetween(file, tables);
}
