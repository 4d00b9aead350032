import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Saved } from "./cases.ts";
import type { Answer } from "./python.ts";

/** One row of the table. */
export interface RoundTripRow {
  readonly family: string;
  readonly checkpoint: string;
  readonly way: string;
  readonly model: string;
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
  /** Largest difference of a logit from transformers in float64, and what is allowed. */
  readonly off: number;
  readonly bound: number;
  readonly greedy: boolean;
  readonly ok: boolean;
  readonly why?: string;
}

/** Compares what transformers made of a folder with what we made of it. */
export function judgeRoundTrip(saved: Saved, answer: Answer): RoundTripRow {
  const { family, checkpoint, way, bound } = saved;
  const none = { missing: [], unexpected: [], off: Number.NaN, greedy: false, ok: false };
  if ("error" in answer) return { family, checkpoint, way, model: "", ...none, bound, why: answer.error };
  const bytes = readFileSync(join(saved.folder, "logits.bin"));
  const logits = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const off = saved.logits.reduce((most, x, i) => Math.max(most, Math.abs(x - (logits[i] ?? Number.NaN))), 0);
  const { missing, unexpected, mismatched, model } = answer;
  const greedy = answer.greedy.join() === saved.greedy.join();
  const whole = missing.length + unexpected.length + mismatched.length === 0 && logits.length === saved.logits.length;
  const why = mismatched.length > 0 ? { why: `of another shape: ${mismatched.join(", ")}` } : {};
  return {
    family,
    checkpoint,
    way,
    model,
    missing,
    unexpected,
    off,
    bound,
    greedy,
    ok: whole && off <= bound && greedy,
    ...why,
  };
}

const COLUMNS = [
  "family",
  "checkpoint",
  "saved",
  "opens as",
  "missing",
  "unexpected",
  "logits off by",
  "allowed",
  "greedy",
  "",
];

/** The rows as a table in Markdown. */
export function roundTripTable(rows: readonly RoundTripRow[]): string {
  const cells = rows.map((row) => [
    row.family,
    row.checkpoint,
    row.way,
    row.model,
    row.missing.length === 0 ? "none" : row.missing.join(" "),
    row.unexpected.length === 0 ? "none" : row.unexpected.join(" "),
    Number.isNaN(row.off) ? "-" : row.off.toExponential(1),
    row.bound.toExponential(1),
    row.greedy ? "same" : "DIFFERENT",
    row.ok ? "ok" : `NOT OK ${row.why ?? ""}`.replaceAll(/\s+/g, " ").trim(),
  ]);
  return [COLUMNS, COLUMNS.map(() => "---"), ...cells].map((line) => `| ${line.join(" | ")} |`).join("\n");
}

/** A row a family: what of it was opened, and how much of what is allowed the farthest logit used. */
export function familyTable(rows: readonly RoundTripRow[]): string {
  const families = [...new Set(rows.map(({ family }) => family))].sort();
  const lines = families.map((family) => {
    const own = rows.filter((row) => row.family === family);
    const worst = Math.max(...own.map(({ off, bound }) => off / bound));
    const checkpoints = [...new Set(own.map(({ checkpoint }) => checkpoint))];
    const models = [...new Set(own.map(({ model }) => model))].filter((model) => model !== "");
    const whole = own.filter(({ missing, unexpected }) => missing.length + unexpected.length === 0).length;
    const greedy = own.filter((row) => row.greedy).length;
    const cells = [
      checkpoints.join(", "),
      models.join(", "),
      `${whole} of ${own.length}`,
      `${greedy} of ${own.length}`,
    ];
    return [family, ...cells, `${(100 * worst).toFixed(0)} %`];
  });
  const head = [
    "family",
    "checkpoints",
    "opens as",
    "no key missing or unexpected",
    "same tokens",
    "of the bound on logits",
  ];
  return [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
