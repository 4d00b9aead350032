import type { Parameter, Tensor } from "../tensor/index.ts";

/** Moments of parameters by their names, each by its own. */
export type SavedMoments = ReadonlyMap<string, Readonly<Record<string, Float32Array>>>;

/** What changes parameters by their gradients, in place. */
export interface Optimizer {
  /** The parameters it changes, in the order `step` expects gradients. */
  readonly parameters: readonly Parameter[];
  /** What it keeps of a parameter between steps, by name, as `save` has it. */
  momentsOf(parameter: Parameter): readonly string[];
  /** Steps taken. */
  steps: number;
  /**
   * One step. Gradients are left to the caller to dispose.
   * @param grads one per parameter; `null` leaves a parameter as it is.
   * @param learningRate of this step, by default the option's; parameters with a rate of their own are scaled by the same factor.
   * @param gradScale scalar tensor that multiplies every gradient (`clipScale`).
   */
  step(grads: readonly (Tensor | null)[], learningRate?: number, gradScale?: Tensor): void;
  /** Moments and step count, for a training checkpoint. */
  save(): Promise<{ steps: number; moments: SavedMoments }>;
  /** Inverse of `save`. @throws ArgumentError when a parameter's moments are missing or of another size. */
  restore(saved: { steps: number; moments: SavedMoments }): void;
  dispose(): void;
}
