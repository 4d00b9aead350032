// Selective scan at mamba-130m's size on 2048 tokens (d = 1536, n = 16): forward and backward, against plain JavaScript.
import { WasmBackend } from "../src/index.ts";
import { wasmKernels } from "../src/ops/index.ts";
import { interleave, randomFloats, type Contender } from "./timing.ts";

const [b, l, d, n] = [1, 2048, 1536, 16];
const softplusInput = randomFloats(b * l * d, 2).map((x) => x - 3);
const values: Record<string, [number[], Float32Array]> = {
  u: [[b, l, d], randomFloats(b * l * d, 3)],
  delta: [[b, l, d], softplusInput],
  A: [[d, n], Float32Array.from({ length: d * n }, (_, i) => -((i % n) + 1))],
  B: [[b, l, n], randomFloats(b * l * n, 4)],
  C: [[b, l, n], randomFloats(b * l * n, 5)],
  D: [[d], randomFloats(d, 6)],
  z: [[b, l, d], randomFloats(b * l * d, 7)],
  deltaBias: [[d], randomFloats(d, 8)],
};
const dY = randomFloats(b * l * d, 9);

/** The loop everybody writes: the state of a channel in a small array, Math.exp. */
function plainJs(y: Float32Array): void {
  const [u, delta, A, B, C, D, z, bias] = Object.values(values).map(([, array]) => array) as Float32Array[];
  const state = new Float32Array(n);
  for (let c = 0; c < d; c++) {
    state.fill(0);
    for (let t = 0; t < l; t++) {
      const at = t * d + c;
      const raw = delta![at]! + bias![c]!;
      const dt = raw > 20 ? raw : Math.log1p(Math.exp(raw));
      const x = u![at]!;
      let sum = 0;
      for (let j = 0; j < n; j++) {
        const h = Math.exp(dt * A![c * n + j]!) * state[j]! + dt * B![t * n + j]! * x;
        state[j] = h;
        sum += h * C![t * n + j]!;
      }
      const gate = z![at]!;
      y[at] = ((sum + D![c]! * x) * gate) / (1 + Math.exp(-gate));
    }
  }
}

type Info = { dataId: object; shape: number[]; dtype: "float32" };
function contenders(backend: WasmBackend): Contender[] {
  const make = (shape: number[], array: Float32Array): Info => ({
    dataId: backend.write(array, shape, "float32"),
    shape,
    dtype: "float32",
  });
  const inputs = Object.fromEntries(Object.entries(values).map(([name, [shape, array]]) => [name, make(shape, array)]));
  const upstream = make([b, l, d], dY);
  const attrs = { deltaSoftplus: true, returnLastState: false };
  const run = (kernel: string, more: Record<string, Info>): void => {
    for (const out of wasmKernels[kernel]!(backend, { ...inputs, ...more }, attrs) as Info[])
      backend.disposeData(out.dataId);
  };
  const label = `${backend.machine.flavour}, ${backend.threads} thread${backend.threads > 1 ? "s" : ""}`;
  return [
    { name: `forward (${label})`, run: () => run("selectiveScan", {}) },
    { name: `backward (${label})`, run: () => run("selectiveScanGrad", { dY: upstream }) },
  ];
}

const y = new Float32Array(b * l * d);
const list: Contender[] = [];
for (const flavour of ["relaxed", "plain"] as const)
  for (const threads of [1, 2]) list.push(...contenders(await WasmBackend.start({ flavour, threads })));
list.push({ name: "forward (plain JavaScript)", run: () => plainJs(y) });
const timings = await interleave(list, Number(process.argv[2] ?? 7), 3);
const js = timings.at(-1)!;
for (const { name, min, median, spread } of timings) {
  console.log(
    `${name.padEnd(34)} ${min.toFixed(1).padStart(7)} ms best, ${median.toFixed(1).padStart(7)} median, spread ${spread.toFixed(2)}, ${(js.min / min).toFixed(1)}x plain JavaScript`,
  );
}
process.exit();
