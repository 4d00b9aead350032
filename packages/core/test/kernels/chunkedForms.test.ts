import { describe, expect, it } from "vitest";
import { Rng, ssdScan } from "../../src/index.ts";
import { opTable, type NdArrays } from "../../src/makers.ts";
import { ndarray, ndround32, sizeOf, type NdArray } from "../../src/math/index.ts";

/**
 * The matrix forms that the docstrings of `ssdScan` and `mamba3Scan` give, written out in float64, against the recurrences that define the ops:
 * what kernels are built on. Both are float64 and sum in different orders.
 */
const BOUND = 1e-12;

const rng = new Rng(41);
const draw = (shape: readonly number[], low = -1, high = 1): NdArray =>
  ndround32(
    ndarray(
      shape,
      Float64Array.from({ length: sizeOf(shape) }, () => rng.uniform(low, high)),
    ),
  );

/** A head's tokens inside one row: what a chunk adds to the state (`writes`), reads from it (`queries`), and how it decays. */
interface Head {
  readonly l: number;
  readonly p: number;
  readonly n: number;
  logDecay(t: number): number;
  /** A new sequence starts at t. */
  starts(t: number): boolean;
  /** What is added at t: a sum of outer products v k^T. */
  writes(t: number): readonly { readonly v: ArrayLike<number>; readonly k: ArrayLike<number> }[];
  queries(t: number): readonly ArrayLike<number>[];
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, x, i) => sum + x * b[i]!, 0);

/**
 * acc_t q_t for acc_t = decay_t acc_{t-1} + sum v k^T, chunk by chunk: y = (L * (Q K^T)) V + exp(cs) Q state_in^T,
 * state_out = exp(cs_q) state_in + (exp(cs_q - cs) V)^T K. Across the start of a sequence L and the decays are 0, not exp of anything.
 */
function scanChunked(head: Head, initial: Float64Array, chunk: number): { y: Float64Array[][]; state: Float64Array } {
  const { l, p, n } = head;
  let state = initial.slice();
  const y: Float64Array[][] = [];
  for (let from = 0; from < l; from += chunk) {
    const tokens = Array.from({ length: Math.min(chunk, l - from) }, (_, i) => from + i);
    const cs: number[] = [];
    const sequence: number[] = []; // how many sequences have started inside the chunk
    tokens.forEach((t, i) => {
      cs.push((cs[i - 1] ?? 0) + head.logDecay(t));
      sequence.push((sequence[i - 1] ?? 0) + (head.starts(t) ? 1 : 0));
    });
    const last = tokens.length - 1;
    const decay = (to: number, since: number): number =>
      sequence[to] === sequence[since] ? Math.exp(cs[to]! - cs[since]!) : 0;
    const decayIn = (to: number): number => (sequence[to] === 0 ? Math.exp(cs[to]!) : 0);
    tokens.forEach((t, i) => {
      y.push(
        head.queries(t).map((q) => {
          const out = new Float64Array(p);
          for (let s = 0; s <= i; s++)
            for (const { v, k } of head.writes(from + s))
              for (let c = 0; c < p; c++) out[c]! += decay(i, s) * dot(q, k) * v[c]!;
          for (let c = 0; c < p; c++) out[c]! += decayIn(i) * dot(q, state.subarray(c * n, (c + 1) * n));
          return out;
        }),
      );
    });
    const next = state.map((x) => decayIn(last) * x);
    tokens.forEach((t, s) => {
      for (const { v, k } of head.writes(t))
        for (let c = 0; c < p; c++) for (let e = 0; e < n; e++) next[c * n + e]! += decay(last, s) * v[c]! * k[e]!;
    });
    state = next;
  }
  return { y, state };
}

function expectClose(got: number, want: number): void {
  expect(Math.abs(got - want)).toBeLessThan(BOUND * Math.max(1, Math.abs(want)));
}

const softplus = (x: number): number => Math.log1p(Math.exp(x));
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

describe.each([1, 3, 4, 7, 16])("in chunks of %i", (chunk) => {
  const [b, l, h, p, n] = [2, 11, 2, 3, 4] as const;
  const seqIdx = ndarray([b, l], [0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 2, 5, 5, 5, 5, 5, 5, 5, 5, 6, 6, 6]);

  it.each([{}, { seqIdx }])("ssdScan is its matrix form", (packed: NdArrays) => {
    const inputs: NdArrays = {
      x: draw([b, l, h, p]),
      dt: draw([b, l, h]),
      A: draw([h], -2, -0.1),
      B: draw([b, l, h, n]),
      C: draw([b, l, h, n]),
      initialState: draw([b, h, p, n]),
      ...packed,
    };
    const { y, lastState } = opTable["ssdScan"]!.spec.reference(inputs, {
      ...ssdScan.spec.attrs,
      dtSoftplus: true,
      returnLastState: true,
    });
    for (let i = 0; i < b; i++) {
      for (let head = 0; head < h; head++) {
        const at = (t: number): number => (i * l + t) * h + head;
        const delta = (t: number): number => softplus(inputs["dt"]!.data[at(t)]!);
        const row = (name: string, t: number, width: number): Float64Array =>
          inputs[name]!.data.slice(at(t) * width, (at(t) + 1) * width);
        const result = scanChunked(
          {
            l,
            p,
            n,
            logDecay: (t) => delta(t) * inputs["A"]!.data[head]!,
            starts: (t) => startsAt(inputs["seqIdx"], i, t, l),
            writes: (t) => [{ v: row("x", t, p).map((x) => delta(t) * x), k: row("B", t, n) }],
            queries: (t) => [row("C", t, n)],
          },
          inputs["initialState"]!.data.slice((i * h + head) * p * n, (i * h + head + 1) * p * n),
          chunk,
        );
        result.y.forEach(([out], t) => out!.forEach((value, c) => expectClose(value, y!.data[at(t) * p + c]!)));
        result.state.forEach((value, e) => expectClose(value, lastState!.data[(i * h + head) * p * n + e]!));
      }
    }
  });

  it.each([{}, { seqIdx }])("mamba3Scan is its matrix form", (packed: NdArrays) => {
    const r = 2;
    const inputs: NdArrays = {
      q: draw([b, l, h, r, n]),
      k: draw([b, l, h, r, n]),
      v: draw([b, l, h, r, p]),
      adt: draw([b, l, h], -1, 0),
      dt: draw([b, l, h], 0.01, 1),
      trap: draw([b, l, h]),
      initialState: draw([b, h, p, n]),
      initialK: draw([b, h, r, n]),
      initialV: draw([b, h, r, p]),
      ...packed,
    };
    const { y, lastState } = opTable["mamba3Scan"]!.spec.reference(inputs, {
      ...opTable["mamba3Scan"]!.spec.attrs,
      returnLastState: true,
    });
    for (let i = 0; i < b; i++) {
      for (let head = 0; head < h; head++) {
        const at = (t: number): number => (i * l + t) * h + head;
        const value = (name: string, t: number): number => inputs[name]!.data[at(t)]!;
        const starts = (t: number): boolean => startsAt(inputs["seqIdx"], i, t, l);
        const row = (name: string, t: number, rank: number, width: number): Float64Array =>
          inputs[name]!.data.slice((at(t) * r + rank) * width, (at(t) * r + rank + 1) * width);
        const lambda = (t: number): number => sigmoid(value("trap", t));
        const next = (t: number): number =>
          t + 1 >= l || starts(t + 1) ? 0 : (1 - lambda(t + 1)) * value("dt", t + 1);
        const weight = (t: number): number => lambda(t) * value("dt", t) + next(t);
        const pairs = (t: number, scale: number): { v: Float64Array; k: Float64Array }[] =>
          Array.from({ length: r }, (_, rank) => ({
            v: row("v", t, rank, p).map((x) => scale * x),
            k: row("k", t, rank, n),
          }));
        const initial = inputs["initialState"]!.data.slice((i * h + head) * p * n, (i * h + head + 1) * p * n);
        for (let rank = 0; rank < r; rank++) {
          const before = (name: string, width: number): Float64Array =>
            inputs[name]!.data.subarray(((i * h + head) * r + rank) * width, ((i * h + head) * r + rank + 1) * width);
          before("initialV", p).forEach((v, c) =>
            before("initialK", n).forEach((k, e) => (initial[c * n + e]! += (1 - lambda(0)) * value("dt", 0) * v * k)),
          );
        }
        const result = scanChunked(
          {
            l,
            p,
            n,
            logDecay: (t) => value("adt", t),
            starts,
            writes: (t) => pairs(t, weight(t)),
            queries: (t) => Array.from({ length: r }, (_, rank) => row("q", t, rank, n)),
          },
          initial,
          chunk,
        );
        result.y.forEach((ranks, t) =>
          ranks.forEach((out, rank) => {
            for (const { v, k } of pairs(t, next(t)))
              v.forEach((x, c) => (out[c]! -= dot(row("q", t, rank, n), k) * x));
            out.forEach((got, c) => expectClose(got, y!.data[(at(t) * r + rank) * p + c]!));
          }),
        );
        result.state.forEach((got, e) => expectClose(got, lastState!.data[(i * h + head) * p * n + e]!));
      }
    }
  });
});

function startsAt(seqIdx: NdArray | undefined, i: number, t: number, l: number): boolean {
  return t > 0 && seqIdx !== undefined && seqIdx.data[i * l + t] !== seqIdx.data[i * l + t - 1];
}
