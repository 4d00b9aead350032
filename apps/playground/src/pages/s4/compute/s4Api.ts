import { basisOf, firstWaves, fitFilter, legsNplr, startingEigenvalues, target, type Fit } from "./inits.ts";
import { INITS, type InitName, type TargetName } from "./names.ts";

export interface S4Input {
  readonly n: number;
  readonly delta: number;
  readonly target: TargetName;
  readonly lag: number;
}

export interface InitView {
  readonly eigenvalues: Float64Array; // [n / 2, 2]
  /** The first contributions to a filter, at most 6, [TAPS] each. A real eigenvalue gives one, a conjugate pair two. */
  readonly waves: readonly Float64Array[];
  readonly fit: Fit;
}

const WAVES = 6;

export const api = {
  inits({ n, delta, target: name, lag }: S4Input): { views: Record<InitName, InitView>; wanted: Float64Array } {
    const wanted = target(name, lag);
    const views = {} as Record<InitName, InitView>;
    for (const init of INITS) {
      const basis = basisOf(init, n, delta);
      const eigenvalues = init === "legs" ? legsNplr(n).lambda : startingEigenvalues(init, n);
      views[init] = {
        eigenvalues,
        waves: firstWaves(basis, WAVES),
        fit: fitFilter(basis, wanted),
      };
    }
    return { views, wanted };
  },
};
