import { mean, noGrad, readFloats, Rng, square, tensor, valueAndGrads, type Tensor } from "@statespace/core";
import type { AnyBackend } from "@statespace/core/backend";
import { Model, type ModelState } from "@statespace/models";
import { startBackend } from "../../../workers/backend.ts";
import type { BackendName } from "../../../workers/backendNames.ts";
import { breathe, type CallContext } from "../../../workers/rpc.ts";
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

const WIDTH = 64;
/** A kind that took longer than this is not tried at twice the length. */
const PATIENCE_MS = 900;

/** One layer of a kind, 64 wide, with the defaults of the models package and equal surroundings. */
export function makeModel(kind: Kind, backend?: AnyBackend): Model {
  return new Model(
    {
      dModel: WIDTH,
      encoder: { kind: "linear", channels: 1 },
      layers: [{ kind }],
      head: { kind: "regression", outputs: 1, pooling: "last" },
    },
    1,
    { backend },
  );
}

const input = (shape: readonly number[], { backend }: Model): Tensor =>
  tensor(Float32Array.from(new Rng(2).normals(shape.reduce((a, b) => a * b, 1))), shape, { backend });

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

async function trainOnce(model: Model, x: Tensor): Promise<void> {
  const { value, grads } = valueAndGrads(
    () => mean(square(model.forward(x).output)),
    model.parameters.map((p) => p.value),
  );
  await readFloats(grads[0] ?? value); // what was queued is done only now
  for (const t of [value, ...grads]) t?.dispose();
}

async function nextToken(model: Model, l: number): Promise<{ time: Repeats; bytes: number }> {
  const x = input([1, l, 1], model);
  const { output, state } = noGrad(() => model.forward(x, { returnState: true })) as {
    output: Tensor;
    state: ModelState;
  };
  const { bytes } = state;
  const token = input([1, 1], model);
  const time = await repeat(
    async () => {
      const y = noGrad(() => model.step(token, state));
      await readFloats(y);
      y.dispose();
    },
    40,
    60,
  );
  for (const t of [x, output, token]) t.dispose();
  state.dispose();
  return { time, bytes };
}

/** A kind at a length; nothing where a slow one has nothing new to tell. */
async function pointOf(
  model: Model,
  l: number,
  first: boolean,
  slow: boolean,
): Promise<Omit<CostPoint, "kind" | "l"> | undefined> {
  let train: Repeats | undefined;
  if (!slow) {
    const x = input([1, l, 1], model);
    try {
      if (first) await trainOnce(model, x); // compiles and warms up
      train = await repeat(() => trainOnce(model, x), 9, 120);
    } finally {
      x.dispose();
    }
  }
  // a state of fixed size makes the next token cost the same at any length: a slow kind need not prove it again
  if (model.constantState && train === undefined) return undefined;
  const { time, bytes } = await nextToken(model, l);
  return { next: time, stateBytes: bytes, ...(train === undefined ? {} : { train }) };
}

export const api = {
  /** Measures every kind at growing lengths; each point is told as soon as it is known. */
  async measure(
    { lengths, backend }: { lengths: readonly number[]; backend: BackendName },
    { signal, emit }: CallContext<CostPoint>,
  ): Promise<void> {
    const on = await startBackend(backend);
    const models = new Map(KINDS.map((kind) => [kind, makeModel(kind, on)]));
    const slow = new Set<Kind>();
    try {
      for (const l of lengths) {
        for (const [kind, model] of models) {
          if (signal.aborted) return;
          const point = await pointOf(model, l, l === lengths[0], slow.has(kind));
          if (point?.train !== undefined && point.train.median > PATIENCE_MS) slow.add(kind);
          if (point !== undefined) emit({ kind, l, ...point });
        }
      }
    } finally {
      for (const model of models.values()) model.dispose();
    }
  },
};

export type WhyApi = typeof api;
