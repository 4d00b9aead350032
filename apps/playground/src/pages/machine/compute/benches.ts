import { linear, readFloats, Rng, selectiveScan, tensor, type Tensor } from "@statespace/core";
import { Model, parseModelConfig, Session } from "@statespace/models";
import { breathe } from "../../../workers/rpc.ts";

export type BenchName = "matmul" | "scan" | "decode" | "prefill";

export interface BenchTime {
  readonly ms: number;
  readonly rate: number;
  /** GFLOP/s or tokens/s. */
  readonly unit: string;
}

const random = (shape: readonly number[], low = -1, high = 1): Tensor =>
  tensor(
    Float32Array.from(
      new Rng(1).uniforms(
        shape.reduce((a, b) => a * b, 1),
        low,
        high,
      ),
    ),
    shape,
  );

/** Waits for a result and frees it. */
async function finish(y: Tensor): Promise<void> {
  await readFloats(y);
  y.dispose();
}

/** Median milliseconds of runs that end with a read-back, over about a third of a second. */
async function time(run: () => Promise<unknown>, warmUps = 1): Promise<number> {
  const times: number[] = [];
  let end = Infinity;
  for (let i = 0; times.length === 0 || (times.length < 32 && performance.now() < end); i++) {
    const start = performance.now();
    await run();
    if (i >= warmUps) times.push(performance.now() - start);
    // the first run compiles
    if (i === 0) end = performance.now() + 350;
    await breathe();
  }
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}

async function benchMatmul(): Promise<BenchTime> {
  const size = 384;
  const [x, weight] = [random([size, size]), random([size, size])];
  const ms = await time(() => finish(linear({ x, weight }).y));
  x.dispose();
  weight.dispose();
  return { ms, rate: (2 * size ** 3) / ms / 1e6, unit: "GFLOP/s" };
}

async function benchScan(): Promise<BenchTime> {
  const [l, d, n] = [512, 256, 16];
  const inputs = {
    u: random([1, l, d]),
    delta: random([1, l, d], 0.01, 0.1),
    A: random([d, n], -8, -1),
    B: random([1, l, n]),
    C: random([1, l, n]),
  };
  const ms = await time(() => finish(selectiveScan(inputs).y));
  for (const t of Object.values(inputs)) t.dispose();
  return { ms, rate: (1000 * l) / ms, unit: "tokens/s" };
}

const smallModel = (): Model =>
  new Model(parseModelConfig({ model_type: "mamba", hidden_size: 128, num_hidden_layers: 4, vocab_size: 1024 }), 1);

async function benchDecode(): Promise<BenchTime> {
  const model = smallModel();
  const session = new Session(model);
  await session.read([0]);
  const tokens = session.tokens({ maxNewTokens: 1e6, temperature: 0, eosTokenIds: [] });
  const ms = await time(async () => void (await tokens.next()), 2);
  await tokens.return();
  session.dispose();
  model.dispose();
  return { ms, rate: 1000 / ms, unit: "tokens/s" };
}

async function benchPrefill(): Promise<BenchTime> {
  const model = smallModel();
  const l = 256;
  const ids = tensor(
    Int32Array.from({ length: l }, (_, i) => i),
    [1, l],
  );
  const ms = await time(() => finish(model.forward(ids, { lastOnly: true }).output));
  ids.dispose();
  model.dispose();
  return { ms, rate: (1000 * l) / ms, unit: "tokens/s" };
}

/** In the order of the table. */
export const benches: readonly (readonly [BenchName, () => Promise<BenchTime>])[] = [
  ["matmul", benchMatmul],
  ["scan", benchScan],
  ["decode", benchDecode],
  ["prefill", benchPrefill],
];
