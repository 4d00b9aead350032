import { fftConvolve } from "@statespace/core/math";
import { breathe, type CallContext } from "../../../workers/rpc.ts";
import { makeLssl, type Measure } from "./lssl.ts";

export interface Timing {
  readonly l: number;
  /** Milliseconds for the whole sequence, its filter being known. */
  readonly recurrence: number;
  readonly convolution: number;
  /** Milliseconds for one more output after l inputs. */
  readonly nextByRecurrence: number;
  readonly nextByConvolution: number;
}

/** Time of one run: the median over repeats that fill a few milliseconds. */
function median(run: () => void): number {
  run();
  const times: number[] = [];
  const end = performance.now() + 30;
  do {
    const start = performance.now();
    run();
    times.push(performance.now() - start);
  } while (performance.now() < end && times.length < 200);
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}

export const api = {
  /** Times both views at growing lengths; each is told as soon as it is known. */
  async time({ measure, n }: { measure: Measure; n: number }, { signal, emit }: CallContext<Timing>): Promise<void> {
    const system = makeLssl(measure, n, 0.01, 1);
    for (const l of [64, 128, 256, 512, 1024, 2048, 4096]) {
      if (signal.aborted) return;
      const u = Float64Array.from({ length: l }, (_, k) => Math.sin(k / 7));
      const inputs = Array.from(u, (value) => Float64Array.of(value));
      const filter = Float64Array.from(system.ssmFilter(l), (K) => K.at(0, 0));
      const { finalState } = system.scan(inputs);
      let sink = 0;
      emit({
        l,
        recurrence: median(() => void system.scan(inputs)),
        convolution: median(() => void fftConvolve(filter, u, l)),
        // timed in runs of 100: one alone is finer than the clock
        nextByRecurrence:
          median(() => {
            for (let i = 0; i < 100; i++) system.step(finalState, inputs[0]!);
          }) / 100,
        nextByConvolution:
          median(() => {
            for (let i = 0; i < 100; i++) for (let k = 0; k < l; k++) sink += filter[k]! * u[l - 1 - k]!;
          }) / 100,
      });
      if (Number.isNaN(sink)) throw new Error("the filter holds no number");
      await breathe();
    }
  },
};
