import {
  add,
  capture,
  concat,
  matMul,
  memory,
  mul,
  reshape,
  Rng,
  setBackend,
  slice,
  sub,
  sum,
  tanh,
  tensor,
  tidy,
  transpose,
  writeInto,
  type Tensor,
} from "@statespace/core";
import { currentBackend } from "@statespace/core/backend";
import { beforeAll, expect, it } from "vitest";
import { cpuBackend } from "../../src/index.ts";

beforeAll(() => setBackend(cpuBackend()));

const N = 4;
type Op = (rng: Rng, pick: () => Tensor) => Tensor;
/** Every op maps matrices [N, N] to one; sizes vary inside, so that freed buffers of several sizes are about. */
const OPS: readonly Op[] = [
  (_, pick) => add(pick(), pick()),
  (_, pick) => sub(pick(), tanh(pick())),
  (_, pick) => tanh(matMul(pick(), pick(), true)),
  (_, pick) => transpose(pick()),
  (_, pick) => reshape(transpose(reshape(pick(), [2, N, 2])), [N, N]),
  (_, pick) => concat([slice(pick(), [1, 0], [N - 1, N]), slice(pick(), [0, 0], [1, N])]),
  (_, pick) => mul(pick(), sum(pick(), 0)),
  (rng, pick) => mul(pick(), tensor(Float32Array.from(rng.normals(N * N)), [N, N])), // a constant
];

/** A random program: the same seed makes the same one. Some intermediates are disposed by hand as it runs. */
function program(seed: number, inputs: readonly Tensor[]): Tensor {
  const rng = new Rng(seed);
  const pool = [...inputs];
  for (let i = 0; i < 30; i++) {
    const pick = (): Tensor => pool[rng.integer(pool.length)]!;
    const next = tidy(() => OPS[rng.integer(OPS.length)]!(rng, pick));
    pool.push(next);
    if (rng.uniform() < 0.4 && pool.length > inputs.length + 2)
      pool.splice(inputs.length + rng.integer(pool.length - inputs.length - 1), 1)[0]!.dispose();
  }
  return tidy(() => pool.slice(inputs.length).reduce((a, b) => add(a, b)));
}

it.each(Array.from({ length: 40 }, (_, seed) => seed))(
  "program %i: three replays equal three eager runs to the last bit",
  (seed) => {
    const before = [memory().tensors, currentBackend().memory().heldBytes];
    const rng = new Rng(1000 + seed);
    const fresh = (): Float32Array[] => [0, 1].map(() => Float32Array.from(rng.normals(N * N)));
    const inputs = fresh().map((values) => tensor(values, [N, N]));
    const graph = capture(() => program(seed, inputs));
    const others = tensor(new Float32Array(N * N)); // memory that a graph in error would write
    for (let round = 0; round < 3; round++) {
      const values = fresh();
      values.forEach((v, i) => writeInto(inputs[i]!, v));
      graph.replay();
      const eager = tidy(() => [
        ...program(
          seed,
          values.map((v) => tensor(v, [N, N])),
        ).dataSync(),
      ]);
      expect([...graph.result.dataSync()]).toEqual(eager);
    }
    expect(others.dataSync().every((x) => x === 0)).toBe(true);
    graph.dispose();
    for (const t of [...inputs, others]) t.dispose();
    expect([memory().tensors, currentBackend().memory().heldBytes]).toEqual(before);
  },
);
