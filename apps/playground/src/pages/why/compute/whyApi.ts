import { mean, noGrad, readFloats, Rng, square, tensor, tidy, valueAndGrads, type Tensor } from "@statespace/core";
import { startBackend } from "../../../workers/backend.ts";
import type { BackendName } from "../../../workers/backendNames.ts";
import { breathe, type CallContext } from "../../../workers/rpc.ts";
import { makeLayer } from "./layers/index.ts";
import { WIDTH, type Layer } from "./layers/layer.ts";
import { KINDS, type Kind } from "./names.ts";

/** Of the same thing measured several times, milliseconds: the middle one, and between what half of them lie. */
export interface Repeats {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export interface CostPoint {
  readonly kind: Kind;
  readonly l: number;
  /** Milliseconds of one training pass (forward and backward) over l tokens; absent where it was too slow to try. */
  readonly train?: Repeats;
  /** Milliseconds of one more token after l. */
  readonly next: Repeats;
  /** Bytes of the state after l tokens. */
  readonly stateBytes: number;
}

const input = (shape: readonly number[], { weights: [weight] }: Layer): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(Float32Array.from(new Rng(2).normals(size)), shape, { backend: weight!.backend });
};

/** Runs until it was run `most` times or `patience` milliseconds have passed, at least three times. */
async function repeat(run: () => Promise<void>, most: number, patience: number): Promise<Repeats> {
  const times: number[] = [];
  const end = performance.now() + patience;
  while (times.length < 3 || (times.length < most && performance.now() < end)) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
    await breathe();
  }
  times.sort((x, y) => x - y);
  const at = (share: number): number => times[Math.round(share * (times.length - 1))]!;
  return { median: at(0.5), low: at(0.25), high: at(0.75) };
}

/** Forward, and backward to the weights and the layer below. */
async function trainOnce(layer: Layer, x: Tensor): Promise<void> {
  const { value, grads } = valueAndGrads(() => mean(square(layer.forward(x))), [x, ...layer.weights]);
  await readFloats(grads[0] ?? value); // what was queued is done only now
  for (const t of [value, ...grads]) t?.dispose();
}

async function nextToken(layer: Layer, l: number): Promise<{ time: Repeats; bytes: number }> {
  const x = input([1, l, WIDTH], layer);
  const memory = noGrad(() => tidy(() => layer.remember(x)));
  const kept = Object.values(memory);
  const token = input([1, WIDTH], layer);
  try {
    const time = await repeat(
      async () => {
        const y = noGrad(() => tidy(() => layer.next(token, memory)));
        await readFloats(y);
        y.dispose();
      },
      40,
      60,
    );
    return { time, bytes: kept.reduce((sum, { size }) => sum + 4 * size, 0) };
  } finally {
    for (const t of [x, token, ...kept]) t.dispose();
  }
}

/** A kind at a length; nothing where a slow one has nothing new to tell. */
async function pointOf(
  layer: Layer,
  l: number,
  first: boolean,
  slow: boolean,
): Promise<Omit<CostPoint, "kind" | "l"> | undefined> {
  let train: Repeats | undefined;
  if (!slow) {
    const x = input([1, l, WIDTH], layer);
    try {
      if (first) await trainOnce(layer, x); // compiles and warms up
      train = await repeat(() => trainOnce(layer, x), 9, 120);
    } finally {
      x.dispose();
    }
  }
  // a state of fixed size makes the next token cost the same at any length: a slow kind need not prove it again
  if (layer.fixedMemory && train === undefined) return undefined;
  const { time, bytes } = await nextToken(layer, l);
  return { next: time, stateBytes: bytes, ...(train === undefined ? {} : { train }) };
}

export const api = {
  /**
   * Measures every kind at growing lengths; each point is told as soon as it is known.
   * @param patience milliseconds: a kind whose training took longer is not tried at twice the length
   */
  async measure(
    { lengths, backend, patience }: { lengths: readonly number[]; backend: BackendName; patience: number },
    { signal, emit }: CallContext<CostPoint>,
  ): Promise<void> {
    const on = await startBackend(backend);
    const layers = new Map(KINDS.map((kind) => [kind, makeLayer(kind, on)]));
    const slow = new Set<Kind>();
    try {
      for (const l of lengths) {
        for (const [kind, layer] of layers) {
          if (signal.aborted) return;
          const point = await pointOf(layer, l, l === lengths[0], slow.has(kind));
          if (point?.train !== undefined && point.train.median > patience) slow.add(kind);
          if (point !== undefined) emit({ kind, l, ...point });
        }
      }
    } finally {
      for (const { weights, release } of layers.values()) {
        release?.();
        for (const weight of weights) weight.dispose();
      }
    }
  },
};

export type WhyApi = typeof api;
