import {
  add,
  mul,
  reshape,
  Rng,
  setBackend,
  stack,
  sum,
  tensor,
  tidy,
  valueAndGrads,
  type Tensor,
} from "@statespace/core";
import { currentBackend } from "@statespace/core/backend";
import { sliceAxis } from "@statespace/core/ops";
import { cpuBackend } from "@statespace/backend-cpu";
import { beforeAll, describe, expect, it } from "vitest";
import { ParameterBuilder, type ForwardOptions, type LayerState, type Mixer } from "../src/index.ts";
import { float64Backend } from "./float64Backend.ts";

/** What the laws need to know of a mixer. */
export interface LawOptions {
  readonly dModel: number;
  /** Longest sequence tried; 7 unless told. Choose it above the chunk size, so that chunks are crossed. */
  readonly length?: number;
  /** The layer has no state to carry (bidirectional): only gradients are judged. */
  readonly stateless?: boolean;
  /** The layer takes no `seqIdx`. */
  readonly unpacked?: boolean;
  /** Share of float32 steps (2^-24) one token may be off by, relative to the largest output; 64 unless told. */
  readonly roundings?: number;
  /** What float64 runs may be off by, relative to the largest output; 1e-11 unless told. */
  readonly exact?: number;
}

/** In float64 two orders of the same sums differ by some hundred roundings of 2^-53; a wrong term differs by far more. */
const EXACT = 1e-11;
/** Central differences at h = 1e-5 err by h^2 f'''/6, below 1e-8 where third derivatives are some hundred times f, and by rounding 1e-15 / h = 1e-10. */
const STEP = 1e-5;
const GRADIENT = 1e-7;

/**
 * The laws every sequence mixer obeys, on float64 storage and on the float32 CPU backend:
 * step by step = whole, any split with its state carried = whole, packed = each alone, and gradients = central differences.
 */
export function describeMixerLaws(name: string, make: (build: ParameterBuilder) => Mixer, options: LawOptions): void {
  const { length = 7, roundings = 64, exact = EXACT } = options;
  for (const [backend, bound] of [
    ["float64", exact],
    ["cpu", roundings * 2 ** -24],
  ] as const) {
    if (backend === "cpu" && options.stateless) continue; // of the laws only that of gradients is left, which is judged in float64
    describe(`${name} on ${backend}`, () => {
      beforeAll(() => setBackend(backend === "cpu" ? cpuBackend() : float64Backend()));
      const subject = (): Subject => new Subject(make, options.dModel, length);
      if (!options.stateless) {
        it("step by step = whole", () => expectStepsEqualWhole(subject(), bound));
        it("any split with its state carried = whole", () => expectSplitsEqualWhole(subject(), bound));
        it("a state of no tokens = no state", () => expectEmptyStateIsNone(subject(), bound));
      }
      if (!options.stateless && !options.unpacked)
        it("packed with boundaries = each alone", () => expectPackedEqualsAlone(subject(), bound));
      if (backend === "float64")
        it("gradients = central differences", () => expectGradientsEqualDifferences(subject(), options));
    });
  }
}

/** A mixer with weights away from their start, where some are zero or one, and an input. */
class Subject {
  readonly mixer: Mixer;
  readonly rng: Rng = new Rng(5);
  readonly length: number;
  readonly x: Tensor; // [2, l, dModel]

  constructor(make: (build: ParameterBuilder) => Mixer, dModel: number, length: number) {
    this.mixer = make(new ParameterBuilder(this.rng));
    for (const parameter of this.mixer.parameters) {
      parameter.assign(Float32Array.from(valuesOf(parameter.value), (value) => value + 0.1 * this.rng.normal()));
    }
    this.length = length;
    this.x = this.random([2, length, dModel]);
  }

  random(shape: readonly number[]): Tensor {
    return tensor(
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => this.rng.normal()),
      shape,
    );
  }

  run(x: Tensor, options: ForwardOptions = {}): { y: Tensor; state: LayerState } {
    const { y, state } = this.mixer.forward(x, { ...options, returnState: true });
    return { y, state: state! };
  }

  /** Tokens from..until of the input. */
  part(from: number, until: number): Tensor {
    return sliceAxis(this.x, 1, from, until - from);
  }
}

function valuesOf(t: Tensor): Float64Array {
  return Float64Array.from(t.dataSync() as ArrayLike<number>);
}

function expectClose(got: Tensor, want: Tensor, bound: number, what: string): void {
  expect(got.shape, what).toEqual(want.shape);
  const [a, b] = [valuesOf(got), valuesOf(want)];
  const peak = b.reduce((max, value) => Math.max(max, Math.abs(value)), 1e-3);
  const off = a.reduce((max, value, i) => Math.max(max, Math.abs(value - b[i]!)), 0);
  expect(off / peak, what).toBeLessThan(bound);
  expect(a.every(Number.isFinite), `${what} is finite`).toBe(true);
}

function expectSameState(got: LayerState, want: LayerState, bound: number, what: string): void {
  expect(Object.keys(got).sort(), what).toEqual(Object.keys(want).sort());
  for (const [key, value] of Object.entries(want)) expectClose(got[key]!, value, bound, `${what}: ${key}`);
}

function expectStepsEqualWhole(subject: Subject, bound: number): void {
  const { mixer, x, length } = subject;
  tidy(() => {
    const whole = subject.run(x);
    const state = mixer.initialState(2);
    const ys = Array.from({ length }, (_, t) => mixer.step(reshape(sliceAxis(x, 1, t, 1), [2, x.shape[2]!]), state));
    expectClose(stack(ys, 1), whole.y, bound, "y");
    expectSameState(state, whole.state, bound, "final state");
  });
}

function expectSplitsEqualWhole(subject: Subject, bound: number): void {
  const { length, x } = subject;
  for (let cut = 1; cut < length; cut++) {
    tidy(() => {
      const whole = subject.run(x);
      const first = subject.run(subject.part(0, cut));
      const second = subject.run(subject.part(cut, length), { initialState: first.state });
      expectClose(first.y, sliceAxis(whole.y, 1, 0, cut), bound, `y before the cut at ${cut}`);
      expectClose(second.y, sliceAxis(whole.y, 1, cut, length - cut), bound, `y after the cut at ${cut}`);
      expectSameState(second.state, whole.state, bound, `final state, cut at ${cut}`);
    });
  }
}

function expectEmptyStateIsNone(subject: Subject, bound: number): void {
  tidy(() => {
    const { x, mixer } = subject;
    const bare = subject.run(x);
    const started = subject.run(x, { initialState: mixer.initialState(2) });
    expectClose(started.y, bare.y, bound, "y");
    expectSameState(started.state, bare.state, bound, "final state");
  });
}

/** Row 0 is cut twice, row 1 once, elsewhere; an id that comes back is a new sequence all the same. A carried state belongs to the first sequence of each row. */
function expectPackedEqualsAlone(subject: Subject, bound: number): void {
  const { length, x, mixer } = subject;
  const cuts = [
    [0, 2, length - 1, length],
    [0, 3, length],
  ];
  const seqIdx = cuts.flatMap((row) => Array.from({ length }, (_, t) => row.findLastIndex((from) => from <= t) % 2));
  tidy(() => {
    const before = subject.run(subject.random([2, 3, x.shape[2]!])).state;
    const packed = subject.run(x, { seqIdx: tensor(Int32Array.from(seqIdx), [2, length]), initialState: before });
    cuts.forEach((row, i) => {
      row.slice(1).forEach((until, k) => {
        const from = row[k]!;
        const carried = Object.fromEntries(
          Object.entries(before).map(([key, value]) => [key, sliceAxis(value, 0, i, 1)]),
        );
        const alone = subject.run(
          sliceAxis(subject.part(from, until), 0, i, 1),
          k === 0 ? { initialState: carried } : {},
        );
        expectClose(
          sliceAxis(sliceAxis(packed.y, 0, i, 1), 1, from, until - from),
          alone.y,
          bound,
          `row ${i}, tokens ${from} to ${until}`,
        );
      });
    });
    // What comes after must not see earlier sequences either.
    const next = subject.random([2, 2, x.shape[2]!]);
    const after = subject.run(next, { initialState: packed.state });
    cuts.forEach((row, i) => {
      const from = row.at(-2)!;
      const last = subject.run(sliceAxis(subject.part(from, length), 0, i, 1)).state;
      expectClose(
        sliceAxis(after.y, 0, i, 1),
        subject.run(sliceAxis(next, 0, i, 1), { initialState: last }).y,
        bound,
        `row ${i}, after the packed sequences`,
      );
    });
    mixer.dispose?.();
  });
}

/** The loss is a random sum of y and of the final state; each tensor is moved along a random direction. */
function expectGradientsEqualDifferences(subject: Subject, { stateless }: LawOptions): void {
  const { mixer, x, length } = subject;
  tidy(() => {
    const before = stateless ? undefined : subject.run(subject.random([2, 3, x.shape[2]!])).state;
    const probe = forwardAll(subject, x, before);
    const weights = probe.map(({ shape }) => subject.random(shape));
    const loss = (): Tensor =>
      forwardAll(subject, x, before)
        .map((out, i) => sum(mul(out, weights[i]!)))
        .reduce((a, b) => add(a, b));
    const named: [string, Tensor][] = [
      ["x", x],
      ...Object.entries(before ?? {}),
      ...mixer.parameters.map((p): [string, Tensor] => [p.name, p.value]),
    ];
    const moved = named.filter(([, t]) => t.dtype === "float32" && t.size > 0 && length > 0);
    const { grads } = valueAndGrads(
      loss,
      moved.map(([, t]) => t),
    );
    moved.forEach(([name, t], i) => {
      const direction = valuesOf(t).map(() => subject.rng.normal());
      const grad = grads[i] ? valuesOf(grads[i]) : new Float64Array(t.size);
      const got = grad.reduce((total, g, k) => total + g * direction[k]!, 0);
      const scale = Math.sqrt(grad.reduce((total, g, k) => total + (g * direction[k]!) ** 2, 1e-6));
      expect(Math.abs(got - alongDirection(mixer, t, direction, loss)) / scale, `gradient of ${name}`).toBeLessThan(
        GRADIENT,
      );
    });
  });
}

function forwardAll(subject: Subject, x: Tensor, initialState: LayerState | undefined): Tensor[] {
  const { y, state } = subject.mixer.forward(x, initialState === undefined ? {} : { initialState, returnState: true });
  return [y, ...Object.values(state ?? {}).filter(({ dtype }) => dtype === "float32")];
}

function alongDirection(mixer: Mixer, t: Tensor, direction: Float64Array, loss: () => Tensor): number {
  const at = valuesOf(t);
  const valueAt = (h: number): number => {
    currentBackend().writeInto(t, at.map((value, i) => value + h * direction[i]!) as unknown as Float32Array);
    mixer.dispose?.(); // what was derived from the weights is derived anew
    return tidy(() => valuesOf(loss())[0]!);
  };
  const slope = (valueAt(STEP) - valueAt(-STEP)) / (2 * STEP);
  valueAt(0);
  return slope;
}
