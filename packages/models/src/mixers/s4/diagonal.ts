import { mul, reshape, sum, tensor, type Parameter, type Tensor } from "@statespace/core";
import { diagonalScan, sliceAxis } from "@statespace/core/ops";
import { complexMulT, complexParts, interleave, type ComplexTensor } from "../../layers/complexTensor.ts";
import { DerivedSet } from "../../layers/derivedSet.ts";
import type { ParameterBuilder } from "../../layers/parameterBuilder.ts";
import type { S4Config } from "./config.ts";
import { diagonalFilter, discretizeS4d, type DiscreteDiagonalSystem } from "./diagonalKernel.ts";
import type { S4Kernel } from "./kernel.ts";
import { S4Parameters } from "./parameters.ts";

/** Largest number of state values that the scan behind `lastState` holds at once. */
const SCAN_VALUES = 2 ** 22;

/** S4D and DSS: the state matrix is diagonal, so the filter is a Vandermonde product and a step costs n. */
export class DiagonalKernel implements S4Kernel {
  readonly parameters: readonly Parameter[];
  rate: number;
  readonly #weights: S4Parameters;
  readonly #recurrence: DerivedSet<"ABar" | "BBar" | "C">;

  constructor(config: S4Config, build: ParameterBuilder) {
    this.#weights = new S4Parameters(config, build);
    this.parameters = this.#weights.all;
    this.rate = config.rate;
    this.#recurrence = new DerivedSet(this.parameters, () => this.#recurrent());
  }

  #discrete(): DiscreteDiagonalSystem & { C: ComplexTensor } {
    const system = this.#weights.system(this.rate);
    return { ...discretizeS4d(this.#weights.config, system), C: system.C };
  }

  filter(l: number): Tensor {
    const { C, BBar, logABar } = this.#discrete();
    const K = diagonalFilter(C, BBar, logABar, l);
    return reshape(K, K.shape.slice(1));
  }

  stateFilter(state: Tensor, l: number): Tensor {
    const { C, ABar, logABar } = this.#discrete();
    return diagonalFilter(C, complexMulT(ABar, complexParts(state)), logABar, l);
  }

  lastState(u: Tensor, initialState?: Tensor): Tensor {
    const [b, l, h] = u.shape as [number, number, number];
    const { ABar, BBar } = this.#recurrence.get(String(this.rate));
    const n = BBar.shape[1]!;
    const chunk = Math.max(1, Math.min(l, Math.floor(SCAN_VALUES / (2 * b * h * n))));
    let state = initialState && reshape(initialState, [b, h * n, 2]);
    for (let from = 0; from < l; from += chunk) {
      const tokens = Math.min(chunk, l - from);
      const Bu = mul(reshape(sliceAxis(u, 1, from, tokens), [b, tokens, h, 1, 1]), BBar);
      state = diagonalScan(
        { ABar, Bu: reshape(Bu, [b, tokens, h * n, 2]), initialState: state },
        { returnLastState: true },
      ).lastState!;
    }
    return reshape(state!, [b, h, n, 2]);
  }

  /** By the recurrence, token after token: a convolution needs steps of one length. */
  uneven(u: Tensor, gaps: Tensor, initialState?: Tensor): { readonly y: Tensor; readonly lastState: Tensor } {
    const [b, l, h] = u.shape as [number, number, number];
    const { config } = this.#weights;
    const system = this.#weights.system(this.rate);
    const n = system.A.re.shape[1]!;
    const delta = mul(reshape(gaps, [b, l, 1, 1]), system.delta); // [b, l, h, n or 1]
    const { ABar, BBar } = discretizeS4d(config, { ...system, delta });
    const Bu = mul(reshape(u, [b, l, h, 1, 1]), interleave(BBar)); // [b, l, h, n, 2]
    const { states, lastState } = diagonalScan(
      {
        ABar: reshape(interleave(ABar), [b, l, h * n, 2]),
        Bu: reshape(Bu, [b, l, h * n, 2]),
        initialState: initialState && reshape(initialState, [b, h * n, 2]),
      },
      { returnLastState: true },
    );
    const C = this.#row(system.C); // [c, h, 2 n]
    const y = sum(mul(reshape(states, [b, l, 1, h, 2 * n]), C), 4); // [b, l, c, h]
    return { y, lastState: reshape(lastState!, [b, h, n, 2]) };
  }

  step(u: Tensor, state: Tensor): { next: Tensor; y: Tensor } {
    const [b, h, n] = state.shape as [number, number, number];
    const { ABar, BBar, C } = this.#recurrence.get(String(this.rate));
    const Bu = reshape(mul(reshape(u, [b, h, 1, 1]), BBar), [b, 1, h * n, 2]);
    const next = diagonalScan({ ABar, Bu, initialState: reshape(state, [b, h * n, 2]) }).states; // [b, 1, h n, 2]
    const y = sum(mul(reshape(next, [b, 1, h, 2 * n]), C), 3); // [b, c, h]
    return { next: reshape(next, [b, h, n, 2]), y };
  }

  /** ABar [h n, 2]; BBar [h, n, 2]; C as the real row (2 Re C, -2 Im C) interleaved, [c, h, 2 n]. */
  #recurrent(): Record<"ABar" | "BBar" | "C", Tensor> {
    const { ABar, BBar, C } = this.#discrete();
    const [, h, n] = C.re.shape as [number, number, number];
    return { ABar: reshape(interleave(ABar), [h * n, 2]), BBar: interleave(BBar), C: this.#row(C) };
  }

  /** The real row that reads a state: (2 Re C, -2 Im C) interleaved, [c, h, 2 n]. */
  #row(C: ComplexTensor): Tensor {
    const [c, h, n] = C.re.shape as [number, number, number];
    return reshape(mul(interleave(C), tensor(Float32Array.of(2, -2), [2], { backend: C.re.backend })), [c, h, 2 * n]);
  }

  dispose(): void {
    this.#recurrence.dispose();
  }
}
