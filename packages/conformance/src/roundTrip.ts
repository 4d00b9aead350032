#!/usr/bin/env node
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { setBackend } from "@statespace/core";
import { families } from "@statespace/models";
import { registerByName } from "./backends.ts";
import { checkpointsOf, NEW_TOKENS, saveOne, WAYS, type Saved } from "./roundTrip/cases.ts";
import { familyTable, judgeRoundTrip, roundTripTable, type RoundTripRow } from "./roundTrip/judge.ts";
import { runChecker } from "./roundTrip/python.ts";

const USAGE = `usage: roundtrip [--checkpoints DIR] [--name WORD] [--backend wasm] [--python PATH] [--write FILE] [--json]
Saves every checkpoint of a folder (the golden ones unless told), as it came, as bfloat16, and a new model of its config; opens each in Hugging
Face transformers, which must miss no key, expect every one, and give the same logits and greedy tokens. Prints a table; exit 1 if a row is not
ok or a family of transformers has no row. --python (or PYTHON) names an interpreter that has torch and transformers; python3 unless told.
--write puts a row a family into a file, between its marks.`;

/** Files of these are other programs'. */
const NOT_OF_TRANSFORMERS: ReadonlySet<string> = new Set(["mamba_ssm", "statespace"]);

/** Families whose files transformers reads and that were not among the rows; those that are only read are saved as another. */
function missingFamilies(rows: readonly RoundTripRow[]): string[] {
  return families
    .filter(({ name, write }) => write !== undefined && !NOT_OF_TRANSFORMERS.has(name))
    .map(({ name }) => name)
    .filter((name) => !rows.some(({ family }) => family === name));
}

async function judgeAll(python: string, saved: readonly Saved[], work: string): Promise<RoundTripRow[]> {
  const manifest = join(work, "manifest.json");
  await writeFile(manifest, JSON.stringify(saved.map(({ folder, ids }) => ({ folder, ids, new: NEW_TOKENS }))));
  const rows: RoundTripRow[] = [];
  for await (const answer of runChecker(python, manifest)) {
    if ("transformers" in answer) console.error(`transformers ${answer.transformers}, torch ${answer.torch}`);
    else rows.push(judgeRoundTrip(saved[rows.length]!, answer));
  }
  return rows;
}

const [OPEN, CLOSE] = ["<!-- roundtrip:begin -->", "<!-- roundtrip:end -->"];

async function writeBetweenMarks(file: string, table: string): Promise<void> {
  const text = await readFile(file, "utf8");
  const [from, until] = [text.indexOf(OPEN) + OPEN.length, text.indexOf(CLOSE)];
  if (until < from) throw new Error(`${file} needs ${OPEN} and ${CLOSE}`);
  await writeFile(file, `${text.slice(0, from)}\n${table}\n${text.slice(until)}`);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      checkpoints: { type: "string" },
      name: { type: "string", default: "" },
      backend: { type: "string", default: "wasm" },
      python: { type: "string", default: process.env["PYTHON"] ?? "python3" },
      write: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const folder = values.checkpoints ? resolve(values.checkpoints) : new URL("../golden/hf", import.meta.url).pathname;
  await registerByName([values.backend]);
  await setBackend(values.backend);
  const work = await mkdtemp(join(tmpdir(), "roundtrip-"));
  try {
    const saved: Saved[] = [];
    for (const name of checkpointsOf(folder).filter((own) => own.includes(values.name)))
      for (const way of WAYS) saved.push(await saveOne(folder, name, way, join(work, `${name}-${way}`)));
    if (saved.length === 0) throw new Error(`${folder} has no checkpoint of that name`);
    const rows = await judgeAll(values.python, saved, work);
    console.log(values.json ? rows.map((row) => JSON.stringify(row)).join("\n") : roundTripTable(rows));
    if (values.write !== undefined) await writeBetweenMarks(resolve(values.write), familyTable(rows));
    const lacking = values.checkpoints || values.name ? [] : missingFamilies(rows);
    if (lacking.length > 0) console.error(`no checkpoint of ${lacking.join(", ")}`);
    return lacking.length > 0 || rows.length < saved.length || rows.some(({ ok }) => !ok) ? 1 : 0;
  } finally {
    await rm(work, { recursive: true });
  }
}

process.exitCode = await main().catch((error: Error) => {
  console.error(`roundtrip: ${error.message}`);
  return 2;
});
