import type { StreamState, TrainingBatch, TrainingStream } from "./batch.ts";
import type { ResolvedOptions } from "./options.ts";

/** Shares of a run at which its schedule is looked at: a function cannot be stored, what it gives can. */
const SHARES: readonly number[] = [0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 1];

/** What makes a run the one it is; how long it goes on may change from sitting to sitting. */
export function runIdentity<B extends TrainingBatch>(
  { optimizer, schedule, accumulate, clipNorm, ema, seed = 0, identity }: ResolvedOptions<B>,
  data: TrainingStream<B>,
): StreamState {
  const settings = Object.fromEntries(Object.entries(optimizer).filter(([, value]) => value !== undefined));
  return {
    optimizer: settings as Readonly<Record<string, StreamState>>,
    schedule: SHARES.map((share) => schedule(share)),
    accumulate,
    clipNorm,
    ...(ema !== undefined && { ema }),
    seed,
    data: data.identity?.() ?? null,
    identity: identity ?? null,
  };
}

/** One line for each place where two differ: `optimizer.eps was 1e-8, is 1e-5`. */
export function differences(was: StreamState, is: StreamState, at = ""): string[] {
  if (isBranch(was) && isBranch(is)) {
    const [a, b] = [was, is] as Readonly<Record<string, StreamState>>[];
    const keys = new Set([...Object.keys(a!), ...Object.keys(b!)]);
    return [...keys].flatMap((key) => differences(a![key] ?? null, b![key] ?? null, at === "" ? key : `${at}.${key}`));
  }
  if (JSON.stringify(was) === JSON.stringify(is)) return [];
  return [`${at} was ${shown(was)}, is ${shown(is)}`];
}

const isBranch = (value: StreamState): boolean => typeof value === "object" && value !== null && !Array.isArray(value);

function shown(value: StreamState): string {
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
