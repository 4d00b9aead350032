import { cpuBackend } from "@statespace/backend-cpu";
import {
  mean,
  noGrad,
  readFloats,
  registerBackend,
  Rng,
  split,
  square,
  tensor,
  valueAndGrads,
  writeInto,
  type Tensor,
} from "@statespace/core";
import { startBackend, type AnyBackend } from "@statespace/core/backend";
import { Model } from "@statespace/models";
import { beforeAll, expect, it } from "vitest";
import { makeLayer } from "../../src/pages/why/compute/layers/index.ts";
import { WIDTH } from "../../src/pages/why/compute/layers/layer.ts";
import { KINDS, type Kind } from "../../src/pages/why/compute/names.ts";

/** What page 1 measures stands in a file of its own, so that it need not fetch all models: it must be what the library's layers compute. */
let backend: AnyBackend;
beforeAll(async () => {
  registerBackend(cpuBackend());
  backend = await startBackend("cpu");
});

const L = 9;
/** The library's layer of a kind, and ours with its weights. */
function both(kind: Kind): { theirs: Model["mixers"][number]; ours: ReturnType<typeof makeLayer> } {
  const model = new Model(
    {
      dModel: WIDTH,
      encoder: { kind: "linear", channels: 1 },
      layers: [{ kind, ...(kind === "attention" ? { rotaryDim: 0 } : {}) }],
      head: { kind: "regression", outputs: 1, pooling: "last" },
    },
    5,
    { backend },
  );
  const theirs = model.mixers[0]!;
  const ours = makeLayer(kind, backend);
  expect(ours.weights.map(({ shape }) => shape)).toEqual(theirs.parameters.map(({ shape }) => shape));
  const rng = new Rng(8);
  theirs.parameters.forEach(({ value }, i) => {
    // biases start at zero: moved, so that they count
    const moved = Float32Array.from(value.dataSync(), (x) => x + 0.05 * rng.normal());
    writeInto(value, moved);
    writeInto(ours.weights[i]!, moved);
  });
  return { theirs, ours };
}

async function expectClose(a: Tensor, b: Tensor): Promise<void> {
  const [x, y] = [await readFloats(a), await readFloats(b)];
  expect(a.shape).toEqual(b.shape);
  const scale = Math.max(...y.map(Math.abs));
  expect(scale).toBeGreaterThan(0);
  x.forEach((value, i) => expect(Math.abs(value - y[i]!)).toBeLessThan(2e-5 * scale));
}

it.each(KINDS)("%s: whole, its gradients, and the token after are the library's", async (kind) => {
  const { theirs, ours } = both(kind);
  const x = tensor(Float32Array.from(new Rng(3).normals((L + 1) * WIDTH)), [1, L + 1, WIDTH], { backend });
  const [first, last] = split(x, [L, 1], 1) as [Tensor, Tensor];
  const whole = theirs.forward(x).y;
  await expectClose(ours.forward(x), whole);

  const token = split(whole, [L, 1], 1)[1]!;
  const memory = noGrad(() => ours.remember(first));
  const next = noGrad(() => ours.next(oneRow(last), memory));
  await expectClose(next, oneRow(token));
  expect(ours.fixedMemory).toBe(theirs.constantState);

  const wrt = [x, ...theirs.parameters.map(({ value }) => value)];
  const expected = valueAndGrads(() => mean(square(theirs.forward(x).y)), wrt).grads;
  const got = valueAndGrads(() => mean(square(ours.forward(x))), [x, ...ours.weights]).grads;
  for (const [i, gradient] of got.entries()) await expectClose(gradient!, expected[i]!);
  ours.release?.();
});

/** [1, 1, WIDTH] as [1, WIDTH]. */
const oneRow = (x: Tensor): Tensor => tensor(x.dataSync(), [1, WIDTH], { backend });
