/** One line of a bench's results. */
export interface Row {
  /** What was run: `scan forward`, `decode f16`. */
  readonly bench: string;
  /** On what: sizes. */
  readonly shape: string;
  /** Its figures, with their units. */
  readonly figures: string;
  /** Device time by kernel, where it was taken: one line each. */
  readonly parts?: readonly string[];
}

/** Where a bench leaves its rows: the console, or a page's table. */
export type Report = (row: Row) => void;

/** A row as the console shows it. */
export function rowText({ bench, shape, figures, parts = [] }: Row): string {
  return [`${bench} ${shape}: ${figures}`, ...parts].join("\n    ");
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** The dearest kernels of a profile. */
export function kernelTable(times: readonly { label: string; calls: number; ms: number }[], top: number): string[] {
  return times.slice(0, top).map(({ label, calls, ms }) => `${label.slice(0, 60)} x${calls} ${ms.toFixed(3)}`);
}

/** Rows as a Markdown table, to paste where results are collected. */
export function tableText(rows: readonly Row[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [
    line(["bench", "on", "found", "device time by kernel, ms"]),
    line(["---", "---", "---", "---"]),
    ...rows.map(({ bench, shape, figures, parts = [] }) => line([bench, shape, figures, parts.join("; ")])),
  ].join("\n");
}
