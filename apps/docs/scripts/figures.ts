import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const docs = join(import.meta.dirname, "..", "..", "..", "docs");

/** One backend's figures of an op, as they are printed. */
export interface Figures {
  readonly backend: string;
  readonly forward: string;
  readonly gradient: string;
}

/** The table of `docs/accuracy.md` by op, which `pnpm conformance --generated` makes. */
const accuracy: ReadonlyMap<string, readonly Figures[]> = (() => {
  const lines = readFileSync(join(docs, "accuracy.md"), "utf8").split("\n");
  const cells = (line: string): string[] =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
  const start = lines.findIndex((line) => line.startsWith("| op, cases"));
  const head = cells(lines[start]!);
  const rows = lines.slice(start + 2).filter((line) => line.startsWith("| "));
  return new Map(
    rows.map((line) => {
      const [name, ...values] = cells(line);
      const of = (backend: string, direction: string): string =>
        values[head.indexOf(`${backend} ${direction}`) - 1] ?? "";
      const figures = ["cpu", "wasm", "webgpu"].map((backend) => ({
        backend,
        forward: of(backend, "forward"),
        gradient: of(backend, "gradient"),
      }));
      return [name!, figures];
    }),
  );
})();

/** The largest errors that were seen of an op on each backend; none for one that the table lacks. */
export const accuracyOf = (name: string): readonly Figures[] => accuracy.get(name) ?? [];

/** What an op took on each backend. */
export interface Speed {
  /** At which shapes. */
  readonly what: string;
  readonly rows: readonly Figures[];
}

interface SpeedFile {
  readonly machine: Readonly<Record<string, string>>;
  readonly ops: Readonly<
    Record<string, { readonly what: string; readonly ms: Readonly<Record<string, readonly number[]>> }>
  >;
}

const speedFile = join(docs, "results", "op-speed.json");
const speeds = existsSync(speedFile) ? (JSON.parse(readFileSync(speedFile, "utf8")) as SpeedFile) : undefined;
const shown = (ms: number | undefined): string =>
  ms === undefined ? "" : `${ms >= 100 ? ms.toFixed(0) : ms.toPrecision(3)} ms`;

/** How long an op takes at a model's shapes, as `pnpm op-speed` wrote it; `undefined` for one that was not timed. */
export function speedOf(name: string): Speed | undefined {
  const own = speeds?.ops[name];
  if (own === undefined) return undefined;
  const rows = Object.entries(own.ms).map(([backend, [forward, gradient]]) => ({
    backend: `${backend} (${speeds!.machine[backend] ?? ""})`,
    forward: shown(forward),
    gradient: shown(gradient),
  }));
  return { what: own.what, rows };
}
