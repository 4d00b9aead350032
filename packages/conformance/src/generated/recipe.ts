import type { NdArray } from "@statespace/core/math";
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
