import {
  add,
  cos,
  div,
  exp,
  gelu,
  keep,
  linear,
  mul,
  neg,
  noGrad,
  reshape,
  sigmoid,
  sin,
  split,
  square,
  stack,
  sub,
  sum,
  tensor,
  tidy,
  type Tensor,
} from "@statespace/core";
import { copy, diagonalScan, expm1, fftConv, sliceAxis, vandermonde } from "@statespace/core/ops";
import { fromInputs, logStep, WIDTH, zero, type Draw, type Layer } from "./layer.ts";

/** Complex numbers of each channel's state: the conjugates of 64 are left out. */
const STATES = 32;
/** Tokens whose states stand in memory at once. */
const CHUNK = 256;

interface Complex {
  readonly re: Tensor;
  readonly im: Tensor;
}

const times = (a: Complex, b: Complex): Complex => ({
  re: sub(mul(a.re, b.re), mul(a.im, b.im)),
  im: add(mul(a.re, b.im), mul(a.im, b.re)),
});
const pair = ({ re, im }: Complex): Tensor => stack([re, im], re.shape.length); // [..., 2]
const parts = (x: Tensor): Complex => {
  const [re, im] = split(x, [1, 1], x.shape.length - 1) as [Tensor, Tensor];
  return { re: reshape(re, x.shape.slice(0, -1)), im: reshape(im, x.shape.slice(0, -1)) };
};

/**
 * S4D: in each channel a diagonal state space model, trained as one long convolution (its filter is C ABar^t BBar), written as a
 * recurrence. y = gelu(filter * u + D u), then a projection with a gate. It keeps the state.
 */
export function s4d(draw: Draw): Layer {
  const D = draw([1, WIDTH], (rng) => rng.normal());
  const logDelta = draw([WIDTH, 1], logStep);
  const logDecay = draw([WIDTH, STATES], () => Math.log(0.5));
  const turning = draw([WIDTH, STATES], (_, i) => -Math.PI * (i % STATES)); // S4D-Lin
  const B = draw([1, WIDTH, STATES, 2], (_, i) => 1 - (i % 2));
  const C = draw([1, WIDTH, STATES, 2], (rng) => rng.normal(0, Math.SQRT1_2));
  const outWeight = draw([2 * WIDTH, WIDTH], fromInputs(WIDTH));
  const outBias = draw([2 * WIDTH], zero);

  /** Zero-order hold: ABar = exp(delta A), BBar = (ABar - 1) / A B. */
  const discretize = (): { ABar: Complex; BBar: Complex; logABar: Complex; read: Complex } => {
    const A = { re: neg(exp(logDecay)), im: neg(turning) };
    const delta = exp(logDelta);
    const logABar = { re: mul(A.re, delta), im: mul(A.im, delta) };
    const growth = expm1(logABar.re);
    // ABar - 1 without cancellation where the step is small
    const change = {
      re: sub(mul(growth, cos(logABar.im)), mul(square(sin(mul(logABar.im, 0.5))), 2)),
      im: mul(add(growth, 1), sin(logABar.im)),
    };
    const size = add(square(A.re), square(A.im));
    const gain = times(change, { re: div(A.re, size), im: neg(div(A.im, size)) });
    const [input, read] = [B, C].map((x) => parts(reshape(x, [WIDTH, STATES, 2]))) as [Complex, Complex];
    return { ABar: { re: add(change.re, 1), im: change.im }, BBar: times(gain, input), logABar, read };
  };

  const finish = (y: Tensor): Tensor => {
    const out = linear({ x: gelu(y), weight: outWeight, bias: outBias }).y;
    const [value, gate] = split(out, [WIDTH, WIDTH], out.shape.length - 1) as [Tensor, Tensor];
    return mul(value, sigmoid(gate));
  };

  let stepping: Readonly<Record<"ABar" | "BBar" | "row", Tensor>> | undefined;
  /** What a step needs of the weights, worked out once. */
  const recurrence = (): NonNullable<typeof stepping> =>
    (stepping ??= noGrad(() =>
      tidy(() => {
        const { ABar, BBar, read } = discretize();
        const signs = tensor([2, -2], [2], { backend: C.backend });
        return {
          ABar: keep(reshape(pair(ABar), [WIDTH * STATES, 2])),
          BBar: keep(pair(BBar)), // [WIDTH, STATES, 2]
          row: keep(reshape(mul(pair(read), signs), [WIDTH, 2 * STATES])), // 2 Re (C x) = row x
        };
      }),
    ));

  return {
    weights: [D, logDelta, logDecay, turning, B, C, outWeight, outBias],
    fixedMemory: true,
    forward(x) {
      const { BBar, logABar, read } = discretize();
      const k = vandermonde({ C: pair(times(read, BBar)), logABar: pair(logABar) }, { seqLen: x.shape[1]! }).y;
      return finish(fftConv({ u: x, k, D: reshape(D, [WIDTH]) }).y);
    },
    remember(x) {
      const { ABar, BBar } = recurrence();
      const l = x.shape[1]!;
      let initialState: Tensor | undefined;
      for (let from = 0; from < l; from += CHUNK) {
        const tokens = Math.min(CHUNK, l - from);
        const Bu = mul(reshape(sliceAxis(x, 1, from, tokens), [1, tokens, WIDTH, 1, 1]), BBar);
        initialState = diagonalScan(
          { ABar, Bu: reshape(Bu, [1, tokens, WIDTH * STATES, 2]), initialState },
          { returnLastState: true },
        ).lastState!;
      }
      return { state: initialState! };
    },
    next(x, { state }) {
      const { ABar, BBar, row } = recurrence();
      const Bu = reshape(mul(reshape(x, [1, WIDTH, 1, 1]), BBar), [1, 1, WIDTH * STATES, 2]);
      const now = diagonalScan({ ABar, Bu, initialState: state! }).states;
      copy({ destination: state!, source: reshape(now, state!.shape) });
      return finish(add(sum(mul(reshape(now, [1, WIDTH, 2 * STATES]), row), 2), mul(x, D)));
    },
    release() {
      for (const made of Object.values(stepping ?? {})) made.dispose();
      stepping = undefined;
    },
  };
}
