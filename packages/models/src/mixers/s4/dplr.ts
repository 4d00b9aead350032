import {
  add,
  concat,
  div,
  matMul,
  mul,
  reshape,
  sum,
  tidy,
  transpose,
  zeros,
  type Parameter,
  type Tensor,
} from "@statespace/core";
import { sliceAxis } from "@statespace/core/ops";
import {
  complexAddT,
  complexMap,
  complexParts,
  complexScaleT,
  interleave,
  type ComplexTensor,
} from "../../layers/complexTensor.ts";
import { denseLastState } from "../../layers/denseSsm.ts";
import { DerivedSet } from "../../layers/derivedSet.ts";
import type { ParameterBuilder } from "../../layers/parameterBuilder.ts";
import type { S4Config } from "./config.ts";
import { dplrFilter } from "./dplrKernel.ts";
import {
  attune,
  denseSystem,
  detune,
  doubleLength,
  prepareLinearStep,
  realRow,
  stepLinear,
  stepsAreLess,
  stepThrough,
  timesA,
  type LinearStep,
} from "./dplrSteps.ts";
import type { S4Kernel } from "./kernel.ts";
import { S4Parameters, type S4System } from "./parameters.ts";

/** S4: diagonal plus low rank. The filter goes through Cauchy sums and an FFT, a step through the structure or the dense matrix. */
export class DplrKernel implements S4Kernel {
  readonly parameters: readonly Parameter[];
  rate: number;
  readonly #weights: S4Parameters;
  readonly #dense: DerivedSet<"ABar" | "BBar">;
  readonly #row: DerivedSet<"C">;
  readonly #linear: DerivedSet<string>;

  constructor(config: S4Config, build: ParameterBuilder) {
    this.#weights = new S4Parameters(config, build);
    this.parameters = this.#weights.all;
    this.rate = config.rate;
    this.#dense = new DerivedSet(this.parameters, () => ({
      ...denseSystem(prepareLinearStep(this.#weights.system(this.rate))),
    }));
    this.#row = new DerivedSet(this.parameters, () => ({ C: this.#readingRow() }));
    this.#linear = new DerivedSet(this.parameters, () => flatten(prepareLinearStep(this.#weights.system(this.rate))));
    // What was drawn is C itself; the weight holds it attuned to the length.
    if (build.draws && config.kernelLength > 0) this.#attuneWeight(config.kernelLength);
  }

  #attuneWeight(l: number): void {
    const { C } = this.#weights;
    C.replace(
      tidy(() => {
        const system = this.#weights.system(1);
        return interleave(complexRow(attune(realRow(system.C), prepareLinearStep(system), l)));
      }),
    );
  }

  filter(l: number): Tensor {
    const { system, length } = this.#attuned(l);
    const K = dplrFilter(
      system,
      complexMap(system.B, (x) => reshape(x, [1, ...x.shape])),
      length,
    );
    const taps = sliceAxis(K, 3, 0, l);
    return reshape(taps, taps.shape.slice(1));
  }

  stateFilter(state: Tensor, l: number): Tensor {
    const { system, length } = this.#attuned(l);
    const x = complexParts(state); // [b, h, n]
    // The input vector whose discrete form is ABar x: x / delta + (Lambda - P P^*) x / 2.
    const B = complexAddT(
      complexMap(x, (part) => div(part, system.delta)),
      complexScaleT(timesA(system, x), 0.5),
    );
    return sliceAxis(dplrFilter(system, B, length), 3, 0, l);
  }

  lastState(u: Tensor, initialState?: Tensor): Tensor {
    const { dState } = this.#weights.config;
    const [b, l, h] = u.shape as [number, number, number];
    if (stepsAreLess(dState, l)) {
      const start = initialState ?? zeros([b, h, dState / 2, 2], { backend: u.backend });
      return interleave(stepThrough(restore(this.#linear.get(String(this.rate))), u, complexParts(start)));
    }
    const { ABar, BBar } = this.#dense.get(String(this.rate));
    return halfState(denseLastState(ABar, BBar, u, initialState && realState(initialState)));
  }

  step(u: Tensor, state: Tensor): { next: Tensor; y: Tensor } {
    const { C } = this.#row.get(String(this.rate));
    const [b, h] = u.shape as [number, number];
    const x = this.#weights.config.stepMode === "dense" ? this.#stepDense(u, state) : this.#stepLinear(u, state);
    return { next: halfState(x), y: sum(mul(reshape(x, [b, 1, h, -1]), C), 3) };
  }

  #stepDense(u: Tensor, state: Tensor): Tensor {
    const { ABar, BBar } = this.#dense.get(String(this.rate));
    const moved = transpose(matMul(transpose(realState(state), [1, 0, 2]), ABar, false, true), [1, 0, 2]);
    return add(moved, mul(reshape(u, [...u.shape, 1]), BBar));
  }

  #stepLinear(u: Tensor, state: Tensor): Tensor {
    const next = stepLinear(restore(this.#linear.get(String(this.rate))), complexParts(state), u);
    return concat([next.re, next.im], 2);
  }

  /** The system with C attuned to at least l taps, and the number of taps it is attuned to. */
  #attuned(l: number): { system: S4System; length: number } {
    const { kernelLength } = this.#weights.config;
    const system = this.#weights.system(this.rate);
    if (kernelLength === 0) {
      return {
        system: { ...system, C: complexRow(attune(realRow(system.C), prepareLinearStep(system), l)) },
        length: l,
      };
    }
    // Lengths count at the rate of the training data; beyond the weight's own, C is carried over by doubling.
    let length = kernelLength;
    let row: Tensor | undefined;
    for (let step: LinearStep | undefined; length < Math.ceil(this.rate * l); length *= 2) {
      step ??= prepareLinearStep(this.#weights.system(1));
      row = doubleLength(row ?? realRow(system.C), step, length);
    }
    return { system: row ? { ...system, C: complexRow(row) } : system, length: Math.round(length / this.rate) };
  }

  /** The row that reads y off the state, [c, h, 2n]. */
  #readingRow(): Tensor {
    const { kernelLength } = this.#weights.config;
    const system = this.#weights.system(this.rate);
    const row = realRow(system.C);
    if (kernelLength === 0) return row;
    return detune(row, denseSystem(prepareLinearStep(system)).ABar, Math.round(kernelLength / this.rate));
  }

  dispose(): void {
    this.#dense.dispose();
    this.#row.dispose();
    this.#linear.dispose();
  }
}

/** C from its real row. */
function complexRow(row: Tensor): ComplexTensor {
  const n = row.shape[2]! / 2;
  return { re: mul(sliceAxis(row, 2, 0, n), 0.5), im: mul(sliceAxis(row, 2, n, n), -0.5) };
}

/** [b, h, n, 2] as real vectors (Re x, Im x), [b, h, 2n]. */
function realState(state: Tensor): Tensor {
  const [b, h, n] = state.shape as [number, number, number];
  return reshape(transpose(state, [0, 1, 3, 2]), [b, h, 2 * n]);
}

function halfState(x: Tensor): Tensor {
  const [b, h, n] = x.shape as [number, number, number];
  return transpose(reshape(x, [b, h, 2, n / 2]), [0, 1, 3, 2]);
}

function flatten({ delta, ...complex }: LinearStep): Record<string, Tensor> {
  const parts = Object.entries(complex).flatMap(
    ([name, { re, im }]) =>
      [
        [`${name}.re`, re],
        [`${name}.im`, im],
      ] as const,
  );
  return { delta, ...Object.fromEntries(parts) };
}

function restore(flat: Record<string, Tensor>): LinearStep {
  const pair = (name: string): ComplexTensor => ({ re: flat[`${name}.re`]!, im: flat[`${name}.im`]! });
  return {
    delta: flat["delta"]!,
    inverse: pair("inverse"),
    explicit: pair("explicit"),
    P: pair("P"),
    correction: pair("correction"),
    deltaB: pair("deltaB"),
  };
}
