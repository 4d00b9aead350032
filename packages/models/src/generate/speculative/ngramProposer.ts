import type { Proposer } from "./proposer.ts";

/** Guesses that what stood behind the last few tokens before comes again: the longest run of up to `size` tokens that is found counts, its last occurrence first. */
export function ngramProposer(size: number): Proposer {
  /** By length of the run: where it ended last, and the time before, since the last time is the end of the text itself. */
  const ends = Array.from({ length: size + 1 }, () => new Map<string, readonly [last: number, before: number]>());
  let known = 0;
  const learn = (ids: readonly number[]): void => {
    for (let end = known + 1; end <= ids.length; end++)
      for (let n = 1; n <= Math.min(size, end); n++) {
        const run = ids.slice(end - n, end).join();
        ends[n]!.set(run, [end, ends[n]!.get(run)?.[0] ?? -1]);
      }
    known = ids.length;
  };
  return {
    propose: (ids, most) => {
      learn(ids);
      for (let n = Math.min(size, ids.length); n >= 1; n--) {
        const [last, before] = ends[n]!.get(ids.slice(ids.length - n).join())!;
        const end = last === ids.length ? before : last;
        if (end >= 0) return repeated(ids, end, most);
      }
      return [];
    },
    dispose: () => undefined,
  };
}

/** What stood behind a place, and behind the end of the text the same again: a loop goes round. */
function repeated(ids: readonly number[], from: number, most: number): number[] {
  const period = ids.length - from;
  return Array.from({ length: most }, (_, i) => ids[from + (i % period)]!);
}
