import type { GoldenResult, GoldenVerdict } from "../golden/run.ts";

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
