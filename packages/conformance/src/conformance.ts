#!/usr/bin/env node
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { opTable } from "@statespace/core/backend";
import { registerByName } from "./backends.ts";
import { directionsOf, generatedCases } from "./generated/cases.ts";
import { recordCalls } from "./generated/recordCalls.ts";
import { runGenerated, type GeneratedRow } from "./generated/run.ts";
import { generatedTable } from "./generated/table.ts";
import { runGolden, type GoldenResult, type GoldenVerdict } from "./golden/run.ts";

const USAGE = `usage: conformance [--golden DIR] [--backend cpu,wasm,webgpu] [--json]
       conformance --generated --case SEED --op NAME [--backend cpu,wasm,webgpu]
       conformance --generated --from FILE,FILE
       conformance --generated --record FILE [--seed 1] [--count 600]
       conformance --generated [--seed 1] [--count 6000] [--op NAME,NAME] [--backend cpu,wasm,webgpu] [--report FILE] [--json]
Compares every case of a folder of golden vectors, or cases that are drawn from a seed: every op, forward and gradient, optional
inputs there or not, extents of 0, 1, primes and around chunks. Prints the largest error of each op in units of 2^-24 of its scale;
--report writes all of it, with the seed of every fault, as JSON; --case makes the one case of such a seed again; --from prints the table of such reports, made
here or on other machines; --record writes the kernel calls on wasm, which \`pnpm sanitize\` runs natively. Exit 1 if any is not ok or was not run.`;

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
      generated: { type: "boolean", default: false },
      seed: { type: "string", default: "1" },
      count: { type: "string", default: "6000" },
      op: { type: "string" },
      case: { type: "string" },
      report: { type: "string" },
      record: { type: "string" },
      from: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  if (values.generated) return generated(values);
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

interface GeneratedFlags {
  readonly backend: string;
  readonly seed: string;
  readonly count: string;
  readonly op?: string | undefined;
  readonly case?: string | undefined;
  readonly report?: string | undefined;
  readonly record?: string | undefined;
  readonly from?: string | undefined;
  readonly json: boolean;
}

const namesIn = (text: string): string[] =>
  text
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`--${name} must be a whole number from 1 on, got "${text}"`);
  return value;
}

/** Cases from a seed on each backend: the table, the faults, and a report. */
async function generated({ backend, op, report, record, from, json, ...flags }: GeneratedFlags): Promise<number> {
  if (from !== undefined) {
    const reports = namesIn(from).map((file) => JSON.parse(readFileSync(file, "utf8")) as { rows: GeneratedRow[] });
    console.log(generatedTable(reports.flatMap(({ rows }) => rows)));
    return 0;
  }
  const [seed, count] = [whole("seed", flags.seed), whole("count", flags.count)];
  if (record !== undefined) {
    await registerByName(["wasm"]);
    console.log(`${await recordCalls(record, { seed, count })} kernel calls in ${record}`);
    return 0;
  }
  const ops = op === undefined ? undefined : namesIn(op);
  for (const name of ops ?? []) if (opTable[name] === undefined) throw new Error(`there is no op "${name}"`);
  if (flags.case !== undefined && ops?.length !== 1) throw new Error("--case needs the op it is of: --op NAME");
  const cases = flags.case === undefined ? undefined : directionsOf(ops![0]!, whole("case", flags.case));
  const backends = namesIn(backend);
  await registerByName(backends);
  const rows: GeneratedRow[] = [];
  for (const name of backends) rows.push(...(await runGenerated(name, cases ?? generatedCases(seed, count, ops))));
  if (json) for (const row of rows) console.log(JSON.stringify(row));
  else console.log(generatedTable(rows));
  const faults = rows.flatMap((row) => row.faults.map((fault) => ({ ...row, ...fault })));
  if (!json)
    for (const fault of faults)
      console.log(
        `NOT OK  ${fault.op} ${fault.direction} [${fault.backend}] seed ${fault.seed}: ${fault.why}; ${fault.inputs}`,
      );
  if (report !== undefined)
    writeFileSync(report, `${JSON.stringify({ seed, count, node: process.version, rows }, undefined, 2)}\n`);
  return faults.length > 0 ? 1 : 0;
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
