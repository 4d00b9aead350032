import { PairHeap } from "./pairHeap.ts";

/** Merges learnt: which pair, in what order. */
export interface MergeRanks {
  /** Rank of a pair, or undefined where it was never merged. */
  rank(left: number, right: number): number | undefined;
  /** The token that the merge of this rank makes. */
  made(rank: number): number;
}

// Below this a plain scan is faster than a heap; above it the scan's quadratic time begins to show.
const scanLimit = 96;

/**
 * Applies the earliest learnt merge that fits, from the left, until none fits. Takes and returns ids; `ids` is used up.
 * Long pieces (a genome has no spaces) cost n log n.
 */
export function mergePiece(ids: number[], ranks: MergeRanks): number[] {
  return ids.length <= scanLimit ? mergeByScan(ids, ranks) : mergeByHeap(ids, ranks);
}

function mergeByScan(ids: number[], ranks: MergeRanks): number[] {
  while (ids.length > 1) {
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i + 1 < ids.length; i++) best = Math.min(best, ranks.rank(ids[i], ids[i + 1]) ?? best);
    if (best === Number.POSITIVE_INFINITY) break;
    let kept = 0;
    for (let i = 0; i < ids.length; i++) {
      const fits = i + 1 < ids.length && ranks.rank(ids[i], ids[i + 1]) === best;
      ids[kept++] = fits ? ranks.made(best) : ids[i];
      if (fits) i++;
    }
    ids.length = kept;
  }
  return ids;
}

/**
 * The same order of merges: a merge makes only pairs of later rank, so taking the lowest (rank, place) one at a time
 * equals doing all of one rank from the left.
 */
function mergeByHeap(ids: number[], ranks: MergeRanks): number[] {
  const end = ids.length;
  const next = Int32Array.from({ length: end }, (_, i) => i + 1);
  const previous = Int32Array.from({ length: end }, (_, i) => i - 1);
  const heap = new PairHeap(); // highest "count" first: the rank goes in negated, the place breaks ties
  const rankAt = (at: number): number | undefined => (next[at] < end ? ranks.rank(ids[at], ids[next[at]]) : undefined);
  const offer = (at: number): void => {
    const rank = at >= 0 ? rankAt(at) : undefined;
    if (rank !== undefined) heap.push(at, -rank);
  };
  for (let at = 0; at < end; at++) offer(at);
  for (let top = heap.pop(); top; top = heap.pop()) {
    const at = top.pair;
    if (ids[at] < 0 || rankAt(at) !== -top.count) continue; // merged away meanwhile
    const gone = next[at];
    ids[at] = ranks.made(-top.count);
    ids[gone] = -1;
    next[at] = next[gone];
    if (next[at] < end) previous[next[at]] = at;
    offer(previous[at]);
    offer(at);
  }
  return ids.filter((id) => id >= 0);
}
