#!/usr/bin/env node
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { cpuKernels } from "@statespace/backend-cpu";
import { wasmKernels } from "@statespace/backend-wasm";
import { webGpuKernels } from "@statespace/backend-webgpu";
import { opTable, roomOf, supportOf, type OpDeclaration } from "@statespace/core";
import { BACKENDS, registerByName } from "./backends.ts";
import { runGolden, type GoldenResult, type GoldenVerdict } from "./golden/run.ts";

const USAGE = `usage: tables [--backend cpu,wasm,webgpu] [--write FILE,FILE]
Prints the support table (op x backend x forward / backward) and the parity table (golden group x backend).
With --write, replaces the parts of those files between <!-- NAME:begin --> and <!-- NAME:end -->.`;

const kernels: Readonly<Record<(typeof BACKENDS)[number], Readonly<Record<string, unknown>>>> = {
  cpu: cpuKernels,
  wasm: wasmKernels,
  webgpu: webGpuKernels,
};

const specs: readonly OpDeclaration[] = Object.values(opTable).map(({ spec }) => spec);

/** How the backends have each op and its gradient: rooms of several ops are counted, so that what is missing stands out. */
export function supportTable(): string {
  const rooms = [...new Set(specs.map((spec) => roomOf(spec)))].filter((room) => room !== undefined);
  const rows = rooms.flatMap((room) => {
    const own = specs.filter((spec) => roomOf(spec) === room);
    return own.length > 4 ? [sharedRow(room, own)] : own.map((spec) => ownRow(spec));
  });
  return [
    `| op, forward / gradient | ${BACKENDS.join(" | ")} |`,
    `| --- |${" --- |".repeat(BACKENDS.length)}`,
    ...rows,
  ].join("\n");
}

function ownRow(spec: OpDeclaration): string {
  const cells = BACKENDS.map((backend) => {
    const { forward, gradient } = supportOf(kernels[backend], spec);
    return `${forward} / ${gradient}`;
  });
  return `| ${spec.name} | ${cells.join(" | ")} |`;
}

/** Ops that share a room: how many of them are kernels; the others by name. */
function sharedRow(room: string, own: readonly OpDeclaration[]): string {
  const cells = BACKENDS.map((backend) => {
    const support = own.map((spec) => ({ name: spec.name, forward: supportOf(kernels[backend], spec).forward }));
    const others = support
      .filter(({ forward }) => forward !== "kernel")
      .map(({ name, forward }) => `${name} ${forward}`);
    return [`${own.length - others.length} of ${own.length} kernels`, ...others].join(", ");
  });
  return `| ${room}: ${own.map(({ name }) => name).join(", ")} | ${cells.join(" | ")} |`;
}

/** How many tensors of each golden group are within their bounds, and how near the nearest came. */
export function parityTable(results: readonly GoldenResult[], backends: readonly string[]): string {
  const columns = backends.some((backend) => results.some((r) => r.backend === backend)) ? backends : [];
  const cell = (rows: readonly GoldenResult[]): string => {
    if (rows.length === 0) return "";
    const verdicts = rows.filter((r): r is GoldenVerdict => !("why" in r));
    const missed = rows.length - verdicts.length;
    const worst = Math.max(0, ...verdicts.map(({ used }) => used));
    const nmse = Math.max(0, ...verdicts.map((v) => v.nmse));
    return `${verdicts.filter(({ ok }) => ok).length} of ${verdicts.length + missed}; ${(100 * worst).toFixed(0)} % of bound, nmse ${nmse.toExponential(0)}`;
  };
  const groups = [...new Set(results.map(({ group }) => group))];
  const rows = groups.map((group) => {
    const own = results.filter((r) => r.group === group);
    const free = own.some(({ backend }) => backend === "none");
    return `| ${group} | ${columns.map((backend) => (free ? (backend === columns[0] ? cell(own) : "the same") : cell(own.filter((r) => r.backend === backend)))).join(" | ")} |`;
  });
  return [`| golden group | ${columns.join(" | ")} |`, `| --- |${" --- |".repeat(columns.length)}`, ...rows].join("\n");
}

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

const { values } = parseArgs({
  options: {
    backend: { type: "string", default: BACKENDS.join(",") },
    write: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) console.log(USAGE);
else {
  const backends = values.backend.split(",");
  await registerByName(backends);
  const results: GoldenResult[] = [];
  for await (const result of runGolden(new URL("../golden", import.meta.url).pathname, backends)) results.push(result);
  const tables = { support: supportTable(), parity: parityTable(results, backends) };
  for (const [name, table] of Object.entries(tables)) console.log(`${name}\n\n${table}\n`);
  for (const file of values.write?.split(",") ?? []) writeBetween(file, tables);
}
