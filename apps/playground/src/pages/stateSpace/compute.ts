import { zeroOrderHold } from "@statespace/core/discretization";
import { eigenvalues, Matrix } from "@statespace/core/math";
import { ContinuousSsm, type DiscreteSsm } from "@statespace/core/ssm";

/** The numbers of a system with two states, one input and one output, as the page edits them. */
export interface SystemNumbers {
  readonly A: readonly number[]; // [2, 2]
  readonly B: readonly number[]; // [2, 1]
  readonly C: readonly number[]; // [1, 2]
  readonly D: readonly number[]; // [1, 1]
}

/** Seconds between two steps of the simulation. */
export const STEP = 1 / 30;
/** Steps a run is long. */
export const STEPS = 360;

export type Preset = "spring" | "glide" | "leak" | "unstable";

export const presets: Readonly<Record<Preset, SystemNumbers>> = {
  // m x'' = -k x - c x' + u with m = 1, k = 4, c = 0.4; the state is position and speed
  spring: { A: [0, 1, -4, -0.4], B: [0, 1], C: [1, 0], D: [0] },
  glide: { A: [0, 1, 0, 0], B: [0, 1], C: [1, 0], D: [0] },
  leak: { A: [-0.5, 0, 0, -3], B: [0.5, 3], C: [1, -1], D: [0] },
  unstable: { A: [0, 1, -4, 0.3], B: [0, 1], C: [1, 0], D: [0] },
};

export type InputKind = "impulse" | "step" | "sine" | "hand";

/** The scripted inputs, held over each step. */
export function scriptedInput(kind: Exclude<InputKind, "hand">): Float64Array {
  return Float64Array.from({ length: STEPS }, (_, k) => {
    const t = k * STEP;
    if (kind === "impulse") return t >= 0.5 && t < 0.75 ? 4 : 0;
    if (kind === "step") return t >= 0.5 && t < 6 ? 1 : 0;
    return Math.sin(2 * t);
  });
}

export function makeSystem({ A, B, C, D }: SystemNumbers): ContinuousSsm {
  return new ContinuousSsm(
    new Matrix(2, 2, Float64Array.from(A)),
    new Matrix(2, 1, Float64Array.from(B)),
    new Matrix(1, 2, Float64Array.from(C)),
    new Matrix(1, 1, Float64Array.from(D)),
  );
}

/** The system with one step of the page's clock; exact for held input. */
export function discreteSystem(numbers: SystemNumbers): DiscreteSsm {
  return makeSystem(numbers).discretize(zeroOrderHold, STEP);
}

export interface Run {
  readonly u: Float64Array; // [l]
  readonly x1: Float64Array; // [l]
  readonly x2: Float64Array; // [l]
  readonly y: Float64Array; // [l]
}

/** Drives the system with an input from rest. */
export function run(numbers: SystemNumbers, u: Float64Array): Run {
  const system = discreteSystem(numbers);
  const out = { u, x1: new Float64Array(u.length), x2: new Float64Array(u.length), y: new Float64Array(u.length) };
  let state: Float64Array = new Float64Array(2);
  for (let k = 0; k < u.length; k++) {
    const stepped = system.step(state, Float64Array.of(u[k]!));
    state = stepped.state;
    out.x1[k] = state[0]!;
    out.x2[k] = state[1]!;
    out.y[k] = stepped.output[0]!;
  }
  return out;
}

/** A real part below this is rounding: what should swing for ever must not be said to fade. */
const ROUNDING = 1e-12;

/** Eigenvalues of A as text, and whether both lie in the left half plane. */
export function poles({ A }: SystemNumbers): { text: string; values: Float64Array; stable: boolean } {
  const values = eigenvalues(new Matrix(2, 2, Float64Array.from(A)));
  const one = (i: number): string => {
    const [re, im] = [values[2 * i]!, values[2 * i + 1]!];
    return Math.abs(im) < 1e-9 ? re.toFixed(2) : `${re.toFixed(2)} ${im < 0 ? "−" : "+"} ${Math.abs(im).toFixed(2)}i`;
  };
  return { text: `${one(0)},  ${one(1)}`, values, stable: values[0]! < -ROUNDING && values[2]! < -ROUNDING };
}
