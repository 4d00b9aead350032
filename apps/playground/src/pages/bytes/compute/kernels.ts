import { CHUNK, countOf, kernelsOf, type KernelName, type Settings, type Sizes, type TensorName } from "./ledger.ts";

/**
 * The kernels of the ledger as plain loops, so that what they move can be timed on any device. u, delta, y and their gradients are [d, l], the large tensors
 * [d, l, n], so that each channel reads its own memory in order; B, C [l, n]; A [d, n].
 */
export type Tensors = Readonly<Record<TensorName, Float32Array>>;

/** Room for what a pass needs, and no more. @param fill a number in [0, 1) each call */
export function makeTensors(settings: Settings, fill: () => number): Tensors {
  const needed = new Set<TensorName>([
    "dy",
    ...kernelsOf(settings).flatMap(({ reads, writes }) => [...reads, ...writes]),
  ]);
  const made = Object.fromEntries(
    [...needed].map((name) => [name, new Float32Array(countOf(name, settings))] as const),
  ) as unknown as Tensors;
  for (const name of ["u", "B", "C", "dy"] as const) made[name]?.forEach((_, i, all) => (all[i] = 2 * fill() - 1));
  made.delta.forEach((_, i, all) => (all[i] = 0.01 + 0.09 * fill()));
  made.A.forEach((_, i, all) => (all[i] = -(1 + (i % settings.n))));
  return made;
}

type Run = (tensors: Tensors, sizes: Sizes) => void;

const discretize: Run = ({ u, delta, A, B, ABar, Bu }, { l, d, n }) => {
  for (let c = 0; c < d; c++)
    for (let t = 0; t < l; t++) {
      const step = delta[c * l + t]!;
      const input = step * u[c * l + t]!;
      const at = (c * l + t) * n;
      for (let i = 0; i < n; i++) {
        ABar[at + i] = Math.exp(step * A[c * n + i]!);
        Bu[at + i] = input * B[t * n + i]!;
      }
    }
};

const scan: Run = ({ ABar, Bu, x }, { l, d, n }) => {
  for (let c = 0; c < d; c++)
    for (let t = 0; t < l; t++) {
      const at = (c * l + t) * n;
      for (let i = 0; i < n; i++) x[at + i] = (t === 0 ? 0 : ABar[at + i]! * x[at - n + i]!) + Bu[at + i]!;
    }
};

const readOut: Run = ({ x, C, y }, { l, d, n }) => {
  for (let c = 0; c < d; c++)
    for (let t = 0; t < l; t++) {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += C[t * n + i]! * x[(c * l + t) * n + i]!;
      y[c * l + t] = sum;
    }
};

/** All three at once: the state never leaves the fast memory, but for what training wants to find again. */
function forward({ u, delta, A, B, C, y, x, corners }: Tensors, { l, d, n }: Sizes): void {
  const state = new Float64Array(n);
  for (let c = 0; c < d; c++) {
    state.fill(0);
    for (let t = 0; t < l; t++) {
      if (corners !== undefined && t % CHUNK === 0) corners.set(state, (c * Math.ceil(l / CHUNK) + t / CHUNK) * n);
      const step = delta[c * l + t]!;
      const input = step * u[c * l + t]!;
      let sum = 0;
      for (let i = 0; i < n; i++) {
        const next = Math.exp(step * A[c * n + i]!) * state[i]! + input * B[t * n + i]!;
        state[i] = next;
        sum += C[t * n + i]! * next;
      }
      y[c * l + t] = sum;
      if (x !== undefined) x.set(state, (c * l + t) * n);
    }
  }
}

/** g: how much the result grows with each number of each state. */
const reverse: Run = ({ dy, C, ABar, g }, { l, d, n }) => {
  for (let c = 0; c < d; c++)
    for (let t = l - 1; t >= 0; t--) {
      const at = (c * l + t) * n;
      for (let i = 0; i < n; i++)
        g[at + i] = C[t * n + i]! * dy[c * l + t]! + (t === l - 1 ? 0 : ABar[at + n + i]! * g[at + n + i]!);
    }
};

const clear = ({ dA, dB, dC }: Tensors): void => void [dA, dB, dC].forEach((each) => each.fill(0));

const gradients: Run = (tensors, { l, d, n }) => {
  const { g, x, ABar, dy, u, delta, A, B, du, ddelta, dA, dB, dC } = tensors;
  clear(tensors);
  for (let c = 0; c < d; c++)
    for (let t = 0; t < l; t++) {
      const at = (c * l + t) * n;
      const [step, input] = [delta[c * l + t]!, u[c * l + t]!];
      let [toInput, toStep] = [0, 0];
      for (let i = 0; i < n; i++) {
        const own = g[at + i]!;
        const kept = t === 0 ? 0 : own * ABar[at + i]! * x[at - n + i]!;
        toInput += own * B[t * n + i]!;
        toStep += kept * A[c * n + i]! + own * B[t * n + i]! * input;
        dA[c * n + i]! += kept * step;
        dB[t * n + i]! += own * step * input;
        dC[t * n + i]! += dy[c * l + t]! * x[at + i]!;
      }
      du[c * l + t] = toInput * step;
      ddelta[c * l + t] = toStep;
    }
};

/** Both at once, chunk by chunk from the end; the states come from memory, or are computed again from the nearest one that was kept. */
function backward(tensors: Tensors, { l, d, n }: Sizes): void {
  const { u, delta, A, B, C, dy, x, corners, du, ddelta, dA, dB, dC } = tensors;
  clear(tensors);
  const chunks = Math.ceil(l / CHUNK);
  const states = new Float64Array((CHUNK + 1) * n); // before each step of a chunk, and after the last
  const decays = new Float64Array(CHUNK * n);
  const g = new Float64Array(n);
  for (let c = 0; c < d; c++) {
    g.fill(0);
    for (let chunk = chunks - 1; chunk >= 0; chunk--) {
      const [from, to] = [chunk * CHUNK, Math.min(l, (chunk + 1) * CHUNK)];
      for (let i = 0; i < n; i++)
        states[i] =
          corners !== undefined
            ? corners[(c * chunks + chunk) * n + i]!
            : from === 0
              ? 0
              : x[(c * l + from - 1) * n + i]!;
      for (let t = from; t < to; t++) {
        const at = (t - from) * n;
        const step = delta[c * l + t]!;
        const input = step * u[c * l + t]!;
        for (let i = 0; i < n; i++) {
          const decay = Math.exp(step * A[c * n + i]!);
          decays[at + i] = decay;
          states[at + n + i] =
            corners !== undefined ? decay * states[at + i]! + input * B[t * n + i]! : x[(c * l + t) * n + i]!;
        }
      }
      for (let t = to - 1; t >= from; t--) {
        const at = (t - from) * n;
        const [step, input, upstream] = [delta[c * l + t]!, u[c * l + t]!, dy[c * l + t]!];
        let [toInput, toStep] = [0, 0];
        for (let i = 0; i < n; i++) {
          const own = g[i]! + C[t * n + i]! * upstream;
          const passed = own * decays[at + i]!;
          const kept = passed * states[at + i]!;
          toInput += own * B[t * n + i]!;
          toStep += kept * A[c * n + i]! + own * B[t * n + i]! * input;
          dA[c * n + i]! += kept * step;
          dB[t * n + i]! += own * step * input;
          dC[t * n + i]! += upstream * states[at + n + i]!;
          g[i] = passed;
        }
        du[c * l + t] = toInput * step;
        ddelta[c * l + t] = toStep;
      }
    }
  }
}

const RUNS: Readonly<Record<KernelName, Run>> = { discretize, scan, readOut, forward, reverse, gradients, backward };

/** One pass: all kernels that the settings ask for, in order. */
export function runPass(settings: Settings, tensors: Tensors): void {
  for (const { name } of kernelsOf(settings)) RUNS[name](tensors, settings);
}
