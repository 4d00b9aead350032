import type { Bench, Subject, Work } from "./bench.ts";

/** A measured subject of a bench. */
export interface Measurement {
  readonly bench: string;
  readonly subject: string;
  readonly ms: { readonly min: number; readonly median: number; readonly max: number };
  readonly rounds: number;
  readonly rates: Readonly<Record<string, number>>;
  /** Median time of the first subject over this one's, round by round: above 1 is faster than the first. */
  readonly ratio: number;
}

const ROUNDS = 7;
/** V8 runs WebAssembly unoptimised first and exchanges each function when it has run long enough: shorter warm-ups time the unoptimised code. */
const WARM_UP_MS = 2500;

const sorted = (xs: readonly number[]): number[] => [...xs].sort((a, b) => a - b);
const median = (xs: readonly number[]): number => sorted(xs)[Math.floor(xs.length / 2)]!;

/** Rates in G(FLOP, B, exp)/s and tokens/s. */
function rates({ flops, bytes, exps, tokens }: Work, ms: number): Record<string, number> {
  const all = {
    "GFLOP/s": flops && flops / ms / 1e6,
    "GB/s": bytes && bytes / ms / 1e6,
    "Gexp/s": exps && exps / ms / 1e6,
    "tokens/s": tokens && (1000 * tokens) / ms,
  };
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, number] => entry[1] !== undefined));
}

async function timed(subject: Subject): Promise<number> {
  const from = performance.now();
  await subject.run();
  return performance.now() - from;
}

async function warmUp(subject: Subject): Promise<void> {
  const until = performance.now() + WARM_UP_MS;
  do await subject.run();
  while (performance.now() < until);
}

/**
 * Validates every subject, warms it up, then times them in turn, round by round, so that a machine that slows down slows all of them.
 * Medians and ratios within a round are what to quote.
 */
export async function measure(
  bench: Bench,
  backends: readonly string[],
  rounds: number = ROUNDS,
): Promise<Measurement[]> {
  const subjects = await bench.prepare(backends);
  try {
    for (const subject of subjects) {
      await subject.validate();
      await warmUp(subject);
    }
    const times = subjects.map((): number[] => []);
    for (let round = 0; round < rounds; round++) {
      for (const [i, subject] of subjects.entries()) times[i]!.push(await timed(subject));
    }
    return subjects.map((subject, i) => {
      const own = times[i]!;
      const ms = { min: Math.min(...own), median: median(own), max: Math.max(...own) };
      return {
        bench: bench.name,
        subject: subject.label,
        ms,
        rounds,
        rates: rates(bench.work, ms.median),
        ratio: median(own.map((t, round) => times[0]![round]! / t)),
      };
    });
  } finally {
    for (const subject of subjects) subject.dispose();
  }
}
