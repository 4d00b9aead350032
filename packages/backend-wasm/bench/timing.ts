/** A contender of a comparison: `run` does the work once. */
export interface Contender {
  readonly name: string;
  run(): void | Promise<void>;
}

export interface Timing {
  readonly name: string;
  readonly min: number;
  readonly median: number;
  /** Least processor time of a run, all threads together: what counts while others use the machine. */
  readonly cpu: number;
  /** Largest over smallest. */
  readonly spread: number;
}

/** Times contenders in turns, so that a slow moment of the machine hits them all: milliseconds a run. */
export async function interleave(contenders: readonly Contender[], rounds: number, warmups = 2): Promise<Timing[]> {
  const times = contenders.map((): number[] => []);
  const cpu = contenders.map((): number => Number.POSITIVE_INFINITY);
  for (let round = -warmups; round < rounds; round++) {
    for (const [i, contender] of contenders.entries()) {
      const cpuFrom = process.cpuUsage();
      const from = performance.now();
      await contender.run();
      if (round < 0) continue;
      times[i]!.push(performance.now() - from);
      const used = process.cpuUsage(cpuFrom);
      cpu[i] = Math.min(cpu[i]!, (used.user + used.system) / 1000);
    }
  }
  return contenders.map(({ name }, i) => {
    const sorted = times[i]!.sort((a, b) => a - b);
    return {
      name,
      min: sorted[0]!,
      median: sorted[sorted.length >> 1]!,
      cpu: cpu[i]!,
      spread: sorted.at(-1)! / sorted[0]!,
    };
  });
}

/** Numbers in [-1, 1) that are the same every run (a multiplicative congruential generator). */
export function randomFloats(count: number, seed = 1): Float32Array {
  const out = new Float32Array(count);
  let state = seed;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 48271) >>> 0) % 2147483647 || 1;
    out[i] = (state / 2147483647) * 2 - 1;
  }
  return out;
}
