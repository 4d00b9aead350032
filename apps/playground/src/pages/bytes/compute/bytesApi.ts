import { Rng } from "@statespace/core";
import { breathe, type CallContext } from "../../../workers/rpc.ts";
import { makeTensors, runPass } from "./kernels.ts";
import { totalBytes, type Settings } from "./ledger.ts";

export interface Measured {
  readonly settings: Settings;
  readonly bytes: number;
  /** Milliseconds of the arithmetic: the same kernels where all fits into the fast memory, scaled up. */
  readonly arithmeticMs: number;
  /** Bytes over the measured bandwidth. */
  readonly transferMs: number;
  readonly measuredMs: number;
}

export interface Told {
  /** Bytes a second between this device's large memory and its processor. */
  readonly bandwidth: number;
  readonly results: readonly Measured[];
}

/** Floats of the arrays that are copied to measure the bandwidth: more than any cache of a phone or a laptop holds. */
const COPIED = 1 << 23;
/** Tokens of the small problem; with few channels all of it stays in the fast memory. */
const SMALL = { l: 128, d: 2 };
const PATIENCE_MS = 350;

const median = (times: number[]): number => times.sort((a, b) => a - b)[times.length >> 1]!;

async function time(run: () => void, signal: AbortSignal): Promise<number> {
  run(); // compiles
  const times: number[] = [];
  const begin = performance.now();
  do {
    const start = performance.now();
    run();
    times.push(performance.now() - start);
    await breathe();
    signal.throwIfAborted();
  } while (times.length < 3 || (performance.now() - begin < PATIENCE_MS && times.length < 25));
  return median(times);
}

async function measureBandwidth(signal: AbortSignal): Promise<number> {
  const [from, to] = [new Float32Array(COPIED).fill(1), new Float32Array(COPIED)];
  const ms = await time(() => to.set(from), signal);
  return (2 * 4 * COPIED) / (ms / 1000);
}

async function arithmetic(settings: Settings, signal: AbortSignal): Promise<number> {
  const small = { ...settings, ...SMALL };
  const rng = new Rng(1);
  const tensors = makeTensors(small, () => rng.uniform());
  const repeats = 40;
  const ms = await time(() => {
    for (let i = 0; i < repeats; i++) runPass(small, tensors);
  }, signal);
  return (ms / repeats) * ((settings.l * settings.d) / (small.l * small.d));
}

export const api = {
  /** The device's bandwidth, then each way of running the scan: predicted and measured. */
  async measure({ ways }: { ways: readonly Settings[] }, { signal, emit }: CallContext<Told>): Promise<void> {
    const bandwidth = await measureBandwidth(signal);
    const results: Measured[] = [];
    emit({ bandwidth, results: [] });
    for (const settings of ways) {
      const arithmeticMs = await arithmetic(settings, signal);
      const rng = new Rng(2);
      const tensors = makeTensors(settings, () => rng.uniform());
      const measuredMs = await time(() => runPass(settings, tensors), signal);
      const bytes = totalBytes(settings);
      results.push({ settings, bytes, arithmeticMs, transferMs: (1000 * bytes) / bandwidth, measuredMs });
      emit({ bandwidth, results: [...results] });
    }
  },
};

export type BytesApi = typeof api;
