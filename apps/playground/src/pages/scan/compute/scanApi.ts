import {
  exp,
  mul,
  add,
  readFloats,
  reshape,
  Rng,
  selectiveScan,
  stack,
  sum,
  tensor,
  tidy,
  type Tensor,
} from "@statespace/core";
import type { AnyBackend } from "@statespace/core/backend";
import { sliceAxis } from "@statespace/core/ops";
import { startBackend } from "../../../workers/backend.ts";
import type { BackendName } from "../../../workers/backendNames.ts";
import { breathe, type CallContext } from "../../../workers/rpc.ts";

export interface ScanSizes {
  readonly l: number;
  readonly d: number;
  readonly n: number;
}

export interface ScanMeasurement extends ScanSizes {
  /** Median milliseconds of the composed and of the fused form. */
  readonly naiveMs: number;
  readonly fusedMs: number;
  /** Bytes each form has to read and write at least. */
  readonly naiveBytes: number;
  readonly fusedBytes: number;
  /** What a backward pass would need: all states kept, or recomputed. */
  readonly statesBytes: number;
  /** Largest difference of the two results. */
  readonly difference: number;
}

interface Inputs {
  readonly u: Tensor; // [1, l, d]
  readonly delta: Tensor; // [1, l, d]
  readonly A: Tensor; // [d, n]
  readonly B: Tensor; // [1, l, n]
  readonly C: Tensor; // [1, l, n]
}

function makeInputs({ l, d, n }: ScanSizes, backend: AnyBackend): Inputs {
  const rng = new Rng(1);
  const normal = (shape: number[]): Tensor =>
    tensor(Float32Array.from(rng.normals(shape.reduce((a, b) => a * b, 1))), shape, { backend });
  const positive = (shape: number[], low: number, high: number): Tensor =>
    tensor(
      Float32Array.from(
        rng.uniforms(
          shape.reduce((a, b) => a * b, 1),
          low,
          high,
        ),
      ),
      shape,
      { backend },
    );
  return {
    u: normal([1, l, d]),
    delta: positive([1, l, d], 0.01, 0.1),
    A: positive([d, n], -8, -1),
    B: normal([1, l, n]),
    C: normal([1, l, n]),
  };
}

/** The definition, written with tensor ops: every intermediate [l, d, n] goes to memory and back. */
function naiveScan({ u, delta, A, B, C }: Inputs, { l, d, n }: ScanSizes): Tensor {
  return tidy(() => {
    const ABar = exp(mul(reshape(delta, [l, d, 1]), reshape(A, [1, d, n]))); // [l, d, n]
    const Bu = mul(mul(reshape(delta, [l, d, 1]), reshape(B, [l, 1, n])), reshape(u, [l, d, 1])); // [l, d, n]
    let state = reshape(sliceAxis(Bu, 0, 0, 1), [d, n]);
    const states = [state];
    for (let t = 1; t < l; t++) {
      state = add(mul(reshape(sliceAxis(ABar, 0, t, 1), [d, n]), state), reshape(sliceAxis(Bu, 0, t, 1), [d, n]));
      states.push(state);
    }
    return sum(mul(stack(states), reshape(C, [l, 1, n])), 2); // [l, d]
  });
}

/** A form is timed until it was run this often or for this long. */
const REPEATS = 9;
const PATIENCE_MS = 400;

/** Median milliseconds of runs that end with a read-back, and the result. */
async function time(run: () => Tensor, signal: AbortSignal): Promise<{ ms: number; y: Float32Array }> {
  const once = async (): Promise<Float32Array> => {
    const y = run();
    const values = await readFloats(y); // what was queued is done only now
    y.dispose();
    await breathe();
    signal.throwIfAborted();
    return values;
  };
  const y = await once(); // compiles and warms up
  const times: number[] = [];
  const begin = performance.now();
  do {
    const start = performance.now();
    await once();
    times.push(performance.now() - start);
  } while (times.length < REPEATS && performance.now() - begin < PATIENCE_MS);
  return { ms: times.sort((a, b) => a - b)[times.length >> 1]!, y };
}

async function measure(sizes: ScanSizes, backend: AnyBackend, signal: AbortSignal): Promise<ScanMeasurement> {
  const { l, d, n } = sizes;
  const inputs = makeInputs(sizes, backend);
  let naive: Awaited<ReturnType<typeof time>>;
  let fused: typeof naive;
  try {
    naive = await time(() => naiveScan(inputs, sizes), signal);
    fused = await time(() => selectiveScan({ ...inputs }).y, signal);
  } finally {
    for (const t of Object.values(inputs)) (t as Tensor).dispose();
  }
  const [small, large] = [4 * (3 * l * d + 2 * l * n + d * n), 4 * l * d * n];
  return {
    ...sizes,
    naiveMs: naive.ms,
    fusedMs: fused.ms,
    // ABar written and read; delta B once more and Bu written and read; the states written, read for the next step and for C
    naiveBytes: small + 9 * large,
    fusedBytes: small,
    statesBytes: large,
    difference: naive.y.reduce((most, value, i) => Math.max(most, Math.abs(value - fused.y[i]!)), 0),
  };
}

export const api = {
  async measure(
    { backend, lengths, d, n }: { backend: BackendName; lengths: readonly number[]; d: number; n: number },
    { signal, emit }: CallContext<ScanMeasurement>,
  ): Promise<void> {
    const on = await startBackend(backend);
    for (const l of lengths) emit(await measure({ l, d, n }, on, signal));
  },

  /** The states of one channel with one state, as the fused op computes them on the CPU: what the animation is checked against. */
  async states({ a, b }: { a: readonly number[]; b: readonly number[] }): Promise<Float32Array> {
    const backend = await startBackend("cpu");
    // with delta = -log a, A = -1 and B = b / delta, the op's exp(delta A) is a and its delta B u is b
    const delta = a.map((value) => -Math.log(value));
    const column = (values: readonly number[]): Tensor =>
      tensor(Float32Array.from(values), [1, values.length, 1], { backend });
    const ones = a.map(() => 1);
    const y = tidy(
      () =>
        selectiveScan({
          u: column(ones),
          delta: column(delta),
          A: tensor([-1], [1, 1], { backend }),
          B: column(b.map((value, i) => value / delta[i]!)),
          C: column(ones),
        }).y,
    );
    try {
      return await readFloats(y);
    } finally {
      y.dispose();
    }
  },
};

export type ScanApi = typeof api;
