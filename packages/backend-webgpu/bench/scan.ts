import { tensor, type Tensor } from "@statespace/core";
import { currentBackend, runKernel } from "@statespace/core/backend";
import type { WebGpuBackend } from "../src/index.ts";
import { wishes } from "../src/ops/selectiveScan/plan.ts";
import { uniform } from "./random.ts";
import { median, type Report } from "./report.ts";

/** GB/s of a copy on an H100. */
const copyRate = 2960;
const isH100 = (): boolean => (currentBackend() as WebGpuBackend).traits.name.includes("H100");

/** mamba_ssm's CUDA kernels on an H100, ms. */
export const cuda: Record<string, [number, number]> = {
  "8x2048": [0.9, 2.13],
  "1x65536": [3.99, 8.8],
  "1x2048": [0.14, 0.366],
};

/** Median device milliseconds of a kernel's dispatches, first to last timestamp summed, over `repeats` runs. */
export async function deviceMs(run: () => void, repeats: number): Promise<{ ms: number; parts: string }> {
  const backend = currentBackend() as WebGpuBackend;
  await warmUp(run);
  if (!backend.traits.timestamps) return { ms: await wallMs(run, 20), parts: "no timestamps: wall time" };
  const totals: number[] = [];
  let parts = "";
  for (let i = 0; i < repeats; i++) {
    const times = await backend.profile(run);
    totals.push(times.reduce((sum, { ms }) => sum + ms, 0));
    if (i === repeats - 1)
      parts = times
        .map(
          ({ label, calls, ms }) =>
            `${label.split(",")[0]!.replace("selectiveScan/", "")}${calls > 1 ? `x${calls}` : ""} ${ms.toFixed(3)}`,
        )
        .join(" ");
  }
  return { ms: median(totals), parts };
}

/** An idle GPU lowers its clock to a fifth. Work brings it back, after 200 ms or after seconds: runs until they take what those before them took. */
async function warmUp(run: () => void): Promise<void> {
  const backend = currentBackend() as WebGpuBackend;
  let before = Infinity;
  for (const start = performance.now(); performance.now() - start < 5000;) {
    const from = performance.now();
    for (let i = 0; i < 8; i++) run();
    await backend.finish();
    const took = performance.now() - from;
    if (performance.now() - start > 1000 && Math.abs(took - before) < 0.03 * before) return;
    before = took;
  }
}

/** Median wall milliseconds of a run among many in a row: what a caller sees, gaps between passes included. */
export async function wallMs(run: () => void, inRow: number, repeats = 5): Promise<number> {
  const backend = currentBackend() as WebGpuBackend;
  run();
  await backend.finish();
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    for (let j = 0; j < inRow; j++) run();
    await backend.finish();
    times.push((performance.now() - start) / inRow);
  }
  return median(times);
}

let made: { key: string; inputs: Record<string, Tensor>; dY: Tensor } | undefined;

/** Inputs of a size, kept for the next cut of the same size: a GPU that waits for them lowers its clock. */
function inputsOf(b: number, l: number, d: number, n: number): { inputs: Record<string, Tensor>; dY: Tensor } {
  const key = `${b} ${l} ${d} ${n}`;
  if (made?.key === key) return made;
  if (made) for (const t of [...Object.values(made.inputs), made.dY]) t.dispose();
  const inputs: Record<string, Tensor> = {
    u: tensor(uniform(1, b * l * d), [b, l, d]),
    delta: tensor(uniform(2, b * l * d, -4, 1), [b, l, d]),
    A: tensor(uniform(3, d * n, -8, -0.2), [d, n]),
    B: tensor(uniform(4, b * l * n), [b, l, n]),
    C: tensor(uniform(5, b * l * n), [b, l, n]),
    D: tensor(uniform(6, d), [d]),
    deltaBias: tensor(uniform(8, d), [d]),
    z: tensor(uniform(7, b * l * d, -2, 2), [b, l, d]),
  };
  const dY = tensor(uniform(10, b * l * d), [b, l, d]);
  made = { key, inputs, dY };
  return made;
}

/** Times the selective scan at a size, gate included, as a Mamba block runs it. */
export async function benchScan(
  b: number,
  l: number,
  d: number,
  n: number,
  report: Report,
  label = "",
  what: readonly ("forward" | "backward")[] = ["forward", "backward"],
): Promise<void> {
  const { inputs, dY } = inputsOf(b, l, d, n);
  const attrs = { deltaSoftplus: true };
  const drop = (out: Tensor[]): void => out.forEach((t) => t.dispose());
  const runs = {
    forward: (): void => drop(runKernel("selectiveScan", inputs, attrs)),
    backward: (): void => drop(runKernel("selectiveScanGrad", { ...inputs, dY }, attrs)),
  };
  const floorBytes = { forward: 4 * b * l * (4 * d + 2 * n), backward: 4 * b * l * (7 * d + 4 * n) };
  for (const direction of what) {
    const { ms, parts } = await deviceMs(runs[direction], 5);
    const wall = await wallMs(runs[direction], 20, 3);
    const { V, threads, TS, inFlight } = wishes[direction];
    const gigabytes = floorBytes[direction] / ms / 1e6;
    const rival = isH100() && d === 1536 ? cuda[`${b}x${l}`]?.[direction === "forward" ? 0 : 1] : undefined;
    const figures = [
      `${ms.toFixed(3)} ms (wall ${wall.toFixed(3)})`,
      `${gigabytes.toFixed(0)} GB/s of what must be moved`,
      ...(isH100() ? [`${((100 * gigabytes) / copyRate).toFixed(0)} % of the floor`] : []),
      ...(rival ? [`${(rival / ms).toFixed(2)}x mamba_ssm's CUDA`] : []),
      `V${V} threads ${threads} TS${TS} inFlight ${inFlight}${label}`,
    ];
    report({
      bench: `scan ${direction}`,
      shape: `${b}x${l}x${d}, ${n} states`,
      figures: figures.join(", "),
      parts: [parts],
    });
  }
}
