#!/usr/bin/env node
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { cpuKernels } from "@statespace/backend-cpu";
import { wasmKernels } from "@statespace/backend-wasm";
import { webGpuKernels } from "@statespace/backend-webgpu";
import { BASE_KERNELS, gradientKernelName, opTable } from "@statespace/core";
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

/** Which op has which kernels where. */
export function supportTable(): string {
  const mark = (backend: (typeof BACKENDS)[number], name: string): string =>
    kernels[backend][name] === undefined ? "-" : "yes";
  const rows = Object.values(opTable)
    .filter(({ spec }) => !BASE_KERNELS.includes(spec.name))
    .map(({ spec }) => {
      const { name, differentiable } = spec;
      const cells = BACKENDS.map(
        (backend) =>
          `${mark(backend, name)} / ${differentiable.length === 0 ? "none" : mark(backend, gradientKernelName(name))}`,
      );
      return `| ${name} | ${cells.join(" | ")} |`;
    });
  const base = BACKENDS.map(
    (backend) =>
      `${BASE_KERNELS.filter((name) => kernels[backend][name] !== undefined).length} of ${BASE_KERNELS.length}`,
  );
  return [
    `| op, forward / gradient | ${BACKENDS.join(" | ")} |`,
    `| --- |${" --- |".repeat(BACKENDS.length)}`,
    ...rows,
    `| base kernels | ${base.join(" | ")} |`,
  ].join("\n");
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
