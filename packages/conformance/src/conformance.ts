#!/usr/bin/env node
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { registerByName } from "./backends.ts";
import { runGolden, type GoldenResult, type GoldenVerdict } from "./golden/run.ts";

const USAGE = `usage: conformance [--golden DIR] [--backend cpu,wasm,webgpu] [--json]
Compares every case of a folder of golden vectors; exit 1 if any is not ok or was not run.`;

function textLine(result: GoldenResult): string {
  const where = `${result.group}/${result.name} [${result.backend}]`;
  if ("why" in result) return `NOT RUN  ${where}: ${result.why}`;
  const { tensor, maxAbs, bound, used } = result;
  return `${result.ok ? "ok      " : "NOT OK  "} ${where} ${tensor}: off by ${maxAbs.toExponential(2)}, ${(100 * used).toFixed(0)} % of the bound ${bound.toExponential(2)}`;
}

/** The fields of one JSON line, in the order the format names them. */
function jsonLine(result: GoldenResult): string {
  if ("why" in result) return JSON.stringify({ ...result, ok: false });
  const { group, name, tensor, backend, maxAbs, maxRel, nmse, bound, ok, used, reason } = result;
  return JSON.stringify({ group, name, tensor, backend, maxAbs, maxRel, nmse, bound, ok, used, reason });
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      golden: { type: "string" },
      backend: { type: "string", default: "cpu" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const folder = values.golden ? resolve(values.golden) : new URL("../golden", import.meta.url).pathname;
  if (!existsSync(folder)) throw new Error(`no folder ${folder}`);
  const backends = values.backend
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);
  await registerByName(backends);
  const results: GoldenResult[] = [];
  for await (const result of runGolden(folder, backends)) {
    results.push(result);
    if (values.json) console.log(jsonLine(result));
    else if ("why" in result || !result.ok) console.log(textLine(result));
  }
  if (!values.json) printSummary(results);
  const bad = results.filter((result) => "why" in result || !result.ok);
  if (results.length === 0) throw new Error(`${folder} has no cases`);
  return bad.length > 0 ? 1 : 0;
}

/** One line a group and backend: how many tensors, and how near the nearest came to its bound. */
function printSummary(results: readonly GoldenResult[]): void {
  const verdicts = results.filter((result): result is GoldenVerdict => !("why" in result));
  const keys = [...new Set(verdicts.map(({ group, backend }) => `${group} [${backend}]`))];
  for (const key of keys) {
    const rows = verdicts.filter(({ group, backend }) => `${group} [${backend}]` === key);
    const worst = rows.reduce((a, b) => (b.used > a.used ? b : a));
    console.log(
      `${key}: ${rows.filter(({ ok }) => ok).length} of ${rows.length} tensors within their bounds; nearest ${worst.name} ${worst.tensor}, ${(100 * worst.used).toFixed(0)} % of ${worst.bound.toExponential(2)}`,
    );
  }
  const notRun = results.length - verdicts.length;
  if (notRun > 0) console.log(`${notRun} cases were not run`);
}

process.exitCode = await main().catch((error: Error) => {
  console.error(`conformance: ${error.message}`);
  return 2;
});
