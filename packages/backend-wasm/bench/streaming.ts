// A million tokens through a 2-layer Mamba-shaped model, one captured step a token: memory and time per token must stay flat.
import {
  add,
  capture,
  linear,
  readFloats,
  rmsNorm,
  setBackend,
  tensor,
  writeInto,
  zeros,
  full,
  type Tensor,
} from "@statespace/core";
import { causalConv1dStep, selectiveScanStep, sliceAxis } from "@statespace/core/ops";
import { WasmBackend, wasmBackend } from "../src/index.ts";
import { randomFloats } from "./timing.ts";

const tokens = Number(process.argv[2] ?? 1_000_000);
const [dModel, dInner, n, taps, rank] = [64, 128, 16, 4, 4];
const backend = await WasmBackend.start({ threads: 1 });
await setBackend({ ...wasmBackend(), create: () => backend });

let seed = 1;
const weight = (...shape: number[]): Tensor =>
  tensor(
    randomFloats(
      shape.reduce((a, b) => a * b),
      seed++,
    ).map((x) => x / Math.sqrt(shape.at(-1)!)),
    shape,
  );
const layers = [0, 1].map(() => ({
  norm: full([dModel], 1),
  inProj: weight(2 * dInner, dModel),
  conv: weight(dInner, taps),
  xProj: weight(rank + 2 * n, dInner),
  dtProj: weight(dInner, rank),
  A: tensor(
    Float32Array.from({ length: dInner * n }, (_, i) => -((i % n) + 1)),
    [dInner, n],
  ),
  D: full([dInner], 1),
  outProj: weight(dModel, dInner),
  convState: zeros([1, taps - 1, dInner]),
  state: zeros([1, dInner, n]),
}));
const input = zeros([1, dModel]);

function step(): Tensor {
  let x: Tensor = input;
  for (const w of layers) {
    const xz = linear({ x: rmsNorm({ x, weight: w.norm }).y, weight: w.inProj }).y;
    const u = causalConv1dStep(
      { x: sliceAxis(xz, 1, 0, dInner), state: w.convState, weight: w.conv },
      { silu: true },
    ).y;
    const p = linear({ x: u, weight: w.xProj }).y;
    const delta = linear({ x: sliceAxis(p, 1, 0, rank), weight: w.dtProj }).y;
    const [B, C] = [sliceAxis(p, 1, rank, n), sliceAxis(p, 1, rank + n, n)];
    const y = selectiveScanStep(
      { state: w.state, u, delta, A: w.A, B, C, D: w.D, z: sliceAxis(xz, 1, dInner, dInner) },
      { deltaSoftplus: true },
    ).y;
    x = add(x, linear({ x: y, weight: w.outProj }).y);
  }
  return x;
}

const graph = capture(step);
const rows = randomFloats(1000 * dModel, 99);
const tenth = tokens / 10;
const times: number[] = [];
const held: number[] = [];
for (let part = 0; part < 10; part++) {
  const from = performance.now();
  for (let i = 0; i < tenth; i++) {
    const row = i % 1000;
    writeInto(input, rows.subarray(row * dModel, (row + 1) * dModel));
    graph.replay();
  }
  times.push((1000 * (performance.now() - from)) / tenth);
  held.push(backend.memory().heldBytes + process.memoryUsage().arrayBuffers);
  if (!(await readFloats(graph.result)).every(Number.isFinite)) throw new Error("the output is not finite");
}
console.log(
  `${tokens} tokens, ${graph.launches} launches each: us a token by tenths ${times.map((t) => t.toFixed(2)).join(" ")}`,
);
console.log(
  `last tenth / first ${(times.at(-1)! / times[0]!).toFixed(3)}; held bytes first ${held[0]}, last ${held.at(-1)}; heap used ${backend.machine.heap.used}`,
);
process.exit();
