import { ndarray, type NdArray } from "@statespace/core/math";
import type { CaseBound, OpCase } from "../cases/opCase.ts";
import type { Dice } from "./dice.ts";

/** A case of one op as it was drawn: all inputs it may have; optional ones are left out afterwards. */
export interface Drawn {
  readonly inputs: Readonly<Record<string, NdArray>>;
  readonly attrs?: Readonly<Record<string, unknown>>;
  readonly bound: CaseBound;
  readonly scale?: OpCase["scale"];
  readonly signed?: readonly string[];
  readonly gradients?: false;
  /** Optional inputs that stay, and groups of those that stay or go together. */
  readonly together?: readonly (readonly string[])[];
}

/** How cases of an op are drawn. */
export type Recipe = (dice: Dice) => Drawn;

/** Roundings of a dot product of k terms in any order of summation: each term one, the sum log2 k to k. */
export const dot = (k: number): number => 4 + Math.min(k, 16 + 2 * Math.ceil(Math.sqrt(k)));

/** What recurrences allow. */
export const RECURRENCE: CaseBound = {
  forward: 64,
  underflow: 2 ** -110,
  backward: 256,
  cancels: 32,
  differences: 1e-6,
  reason:
    "each step of a recurrence adds a few roundings and an exponential; old ones decay with the state; gradients run through it twice",
};

/** A scan's arguments as those of its step: one token without its axis, states under their own names. */
export function asStep(drawn: Drawn, states: Readonly<Record<string, string>>, attrs: readonly string[]): Drawn {
  const timed = new Set(["u", "delta", "B", "C", "z", "x", "dt", "q", "k", "v", "adt", "trap", "g", "beta", "a"]);
  const inputs = Object.entries(drawn.inputs).flatMap(([name, x]): [string, NdArray][] => {
    if (name === "seqIdx") return [];
    if (states[name] !== undefined) return [[states[name], x]];
    return [[name, timed.has(name) ? ndarray(x.shape.toSpliced(1, 1), x.data) : x]];
  });
  const kept = Object.entries(drawn.attrs ?? {}).filter(([name]) => attrs.includes(name));
  return { ...drawn, inputs: Object.fromEntries(inputs), attrs: Object.fromEntries(kept) };
}

/** Tokens of a sequence: around chunks, and one for a step. */
export const tokens = (dice: Dice, step: boolean, most = 129): number => (step ? 1 : dice.sizeOrNone(most));
