import { tensor, type Tensor } from "@statespace/core";
import { runKernel } from "@statespace/core/backend";
import { uniform } from "./random.ts";
import type { Report } from "./report.ts";
import { deviceMs } from "./scan.ts";

/** A scan in chunks, as a kernel takes it. */
export interface ChunkedCase {
  readonly op: "ssdScan" | "mamba3Scan" | "gatedDeltaRule";
  readonly shape: string;
  readonly inputs: () => Record<string, Tensor>;
  readonly attrs: Record<string, unknown>;
  /** Of the output and its gradient. */
  readonly y: readonly number[];
  readonly backward: boolean;
}

let seed = 0;
/** The same inputs each time. */
function fresh<T>(make: () => T): () => T {
  return () => {
    seed = 0;
    return make();
  };
}
function drawn(shape: readonly number[], low = -1, high = 1): Tensor {
  return tensor(
    uniform(
      ++seed,
      shape.reduce((a, b) => a * b, 1),
      low,
      high,
    ),
    shape,
  );
}

function ssd(b: number, l: number, h: number, p: number, n: number): ChunkedCase {
  return {
    op: "ssdScan",
    shape: `${b}x${l}, ${h} heads of ${p}, ${n} states`,
    y: [b, l, h, p],
    attrs: { dtSoftplus: true, dtMin: 0, dtMax: Infinity, chunkSize: 128 },
    backward: true,
    inputs: fresh(() => ({
      x: drawn([b, l, h, p]),
      dt: drawn([b, l, h], -4, 0),
      A: drawn([h], -4, -0.5),
      B: drawn([b, l, 1, n]),
      C: drawn([b, l, 1, n]),
      D: drawn([h]),
      dtBias: drawn([h]),
    })),
  };
}

function mamba3(b: number, l: number, h: number, p: number, n: number): ChunkedCase {
  return {
    op: "mamba3Scan",
    shape: `${b}x${l}, ${h} heads of ${p}, ${n} states`,
    y: [b, l, h, 1, p],
    attrs: { chunkSize: 128 },
    backward: true,
    inputs: fresh(() => ({
      q: drawn([b, l, h, 1, n]),
      k: drawn([b, l, h, 1, n]),
      v: drawn([b, l, h, 1, p]),
      adt: drawn([b, l, h], -0.3, 0),
      dt: drawn([b, l, h], 0.01, 0.3),
      trap: drawn([b, l, h]),
      D: drawn([h]),
    })),
  };
}

function delta(b: number, l: number, h: number, d: number, backward: boolean): ChunkedCase {
  return {
    op: "gatedDeltaRule",
    shape: `${b}x${l}, ${h} heads of ${d}`,
    y: [b, l, h, d],
    attrs: { l2norm: true, l2eps: 1e-6, scale: 0 },
    backward,
    inputs: fresh(() => ({
      q: drawn([b, l, h, d]),
      k: drawn([b, l, h, d]),
      v: drawn([b, l, h, d]),
      g: drawn([b, l, h], -0.3, 0),
      beta: drawn([b, l, h], 0, 1),
    })),
  };
}

/** The sizes whose times stand in NOTES.md. */
export const chunkedCases: readonly ChunkedCase[] = [
  ssd(8, 2048, 24, 64, 128),
  ssd(1, 65_536, 24, 64, 128),
  mamba3(8, 2048, 24, 64, 128),
  delta(1, 8192, 32, 128, false),
  delta(1, 2048, 16, 128, true),
];

/** For a device without a card. */
export const smallChunkedCases: readonly ChunkedCase[] = [
  ssd(1, 128, 2, 64, 64),
  mamba3(1, 64, 2, 64, 64),
  delta(1, 130, 2, 32, true),
];

/** Times a scan in chunks, and its backward pass. */
export async function benchChunked(c: ChunkedCase, report: Report, repeats = 5): Promise<void> {
  const inputs = c.inputs();
  const dY = drawn(c.y);
  const drop = (out: Tensor[]): void => out.forEach((t) => t.dispose());
  const runs = {
    forward: (): void => drop(runKernel(c.op, inputs, c.attrs)),
    ...(c.backward ? { backward: (): void => drop(runKernel(`${c.op}Grad`, { ...inputs, dY }, c.attrs)) } : {}),
  };
  for (const [direction, run] of Object.entries(runs)) {
    const { ms, parts } = await deviceMs(run, repeats);
    report({ bench: `${c.op} ${direction}`, shape: c.shape, figures: `${ms.toFixed(3)} ms`, parts: [parts] });
  }
  drop([...Object.values(inputs), dY]);
}
