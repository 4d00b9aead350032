import type { GeneratedRow } from "./run.ts";

const figure = (x: number): string => (x === 0 ? "0" : x >= 100 ? x.toFixed(0) : x.toFixed(1));

function cell(row: GeneratedRow | undefined): string {
  if (row === undefined) return "";
  const faults = row.faults.length > 0 ? `, **${row.faults.length} faults**` : "";
  if (row.direction === "NaN" || row.direction === "apart") return `${row.cases}${faults}`;
  return `${row.cases}: ${figure(row.error)} of ${figure(row.bound)}${faults}`;
}

/**
 * Op x backend and direction: how many cases, the largest error seen where it came nearest to its bound, and that bound, both in units of
 * 2^-24 of what is computed on absolute values (of the largest value where parts do not add up, of the value itself where it is rounded once).
 */
export function generatedTable(rows: readonly GeneratedRow[]): string {
  const backends = [...new Set(rows.map(({ backend }) => backend))];
  const columns = backends.flatMap((backend) =>
    (["forward", "gradient", "NaN", "apart"] as const).map((direction) => ({ backend, direction })),
  );
  const ops = [...new Set(rows.map(({ op }) => op))].sort();
  const lines = ops.map((op) => {
    const cells = columns.map(({ backend, direction }) =>
      cell(rows.find((row) => row.op === op && row.backend === backend && row.direction === direction)),
    );
    return `| ${op} | ${cells.join(" | ")} |`;
  });
  return [
    `| op, cases: largest error of bound | ${columns.map(({ backend, direction }) => `${backend} ${direction}`).join(" | ")} |`,
    `| --- |${" --- |".repeat(columns.length)}`,
    ...lines,
  ].join("\n");
}
