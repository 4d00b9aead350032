import { AbortedError, ArgumentError } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { BpeTokenizer, type Merge } from "./bpeTokenizer.ts";
import { PairHeap } from "./pairHeap.ts";
import { piecePattern } from "./piecePattern.ts";

/** Size of the vocabulary that `trainBpe` learns, and what is in it from the start. */
export interface TrainBpeOptions {
  /** Tokens in all: special ones, 256 bytes and merges. */
  readonly vocabSize: number;
  /** Pairs seen less often are not merged. Default 2. */
  readonly minCount?: number;
  /** Tokens that stand outside the text; they take the first ids. Default `["<|endoftext|>"]`. */
  readonly specialTokens?: readonly string[];
  readonly onProgress?: (merges: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** One distinct piece of text: its tokens so far and how often it occurs. */
interface Piece {
  tokens: number[];
  readonly count: number;
}

/**
 * Trains byte-level BPE: starts from the 256 bytes and merges the most frequent adjacent pair, again and again.
 * Ties go to the pair with the smaller ids, so that the result does not depend on the order of the text.
 * Training stops early where no pair occurs `minCount` times.
 *
 * Work is done on distinct pieces; counts change only where a merge happens, the next pair comes from a heap.
 * Errors: `ArgumentError` for a vocabulary too small; `AbortedError`.
 * Source: Sennrich et al. 2016 (arXiv:1508.07909), algorithm 1, over bytes as in GPT-2.
 * Departure: pieces above 128 bytes (a genome has no spaces) are counted in stretches of 128, so that a merge touches
 * the stretches it occurs in and not all of the text; a pair across two stretches goes uncounted.
 */
export function trainBpe(texts: string | Iterable<string>, options: TrainBpeOptions): BpeTokenizer {
  refuseUnknown("trainBpe", options, ["vocabSize", "minCount", "specialTokens", "onProgress", "signal"], {
    minFrequency: "minCount",
    special: "specialTokens",
  });
  const { vocabSize, minCount = 2, specialTokens = ["<|endoftext|>"], onProgress, signal } = options;
  requireInteger("trainBpe", "vocabSize", vocabSize, 256 + specialTokens.length);
  requireInteger("trainBpe", "minCount", minCount, 1);
  if (new Set(specialTokens).size !== specialTokens.length || specialTokens.includes("")) {
    throw new ArgumentError("trainBpe: special tokens must be distinct and not empty");
  }
  const trainer = new Trainer(collectPieces(typeof texts === "string" ? [texts] : texts), specialTokens.length);
  const total = vocabSize - 256 - specialTokens.length;
  const merges: Merge[] = [];
  while (merges.length < total) {
    if (signal?.aborted) throw new AbortedError("trainBpe: aborted", { cause: signal.reason });
    const merge = trainer.mergeNext(specialTokens.length + 256 + merges.length, minCount);
    if (!merge) break;
    merges.push(merge);
    onProgress?.(merges.length, total);
  }
  return new BpeTokenizer(merges, specialTokens);
}

function requireInteger(where: string, name: string, value: number, min: number): void {
  if (Number.isInteger(value) && value >= min && value < 2 ** 31) return;
  throw new ArgumentError(`${where}: ${name} must be an integer in [${min}, ${2 ** 31 - 1}], got ${value}`);
}

function collectPieces(texts: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const [piece] of text.matchAll(piecePattern)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  }
  return counts;
}

// A pair of ids as one number: ids stay below 2^26, so the product stays exact.
const pairBase = 2 ** 26;

/** Longest run of bytes counted as one piece. */
const stretch = 128;

class Trainer {
  readonly #pieces: Piece[] = [];
  readonly #counts = new Map<number, number>();
  /** Pieces that may hold a pair; entries go stale and are checked on use. */
  readonly #places = new Map<number, Set<number>>();
  readonly #heap = new PairHeap();

  constructor(counts: ReadonlyMap<string, number>, firstByte: number) {
    const encoder = new TextEncoder();
    for (const [text, count] of counts) {
      const tokens = Array.from(encoder.encode(text), (byte) => firstByte + byte);
      for (let at = 0; at < tokens.length; at += stretch)
        this.#pieces.push({ tokens: tokens.slice(at, at + stretch), count });
    }
    for (const [index, piece] of this.#pieces.entries()) {
      for (let i = 0; i + 1 < piece.tokens.length; i++)
        this.#add(piece.tokens[i], piece.tokens[i + 1], piece.count, index);
    }
    for (const [pair, count] of this.#counts) this.#heap.push(pair, count);
  }

  /** Merges the most frequent pair into token `id`, or returns undefined where none is frequent enough. */
  mergeNext(id: number, minCount: number): Merge | undefined {
    for (;;) {
      const top = this.#heap.pop();
      if (!top) return undefined;
      const count = this.#counts.get(top.pair) ?? 0;
      if (count !== top.count) {
        // Counts of old pairs only fall: the entry comes back with its true count when it is met.
        if (count > 0) this.#heap.push(top.pair, count);
        continue;
      }
      if (count < minCount) return undefined;
      const left = Math.floor(top.pair / pairBase);
      const right = top.pair % pairBase;
      this.#merge(left, right, id, top.pair);
      return [left, right];
    }
  }

  #merge(left: number, right: number, id: number, pair: number): void {
    const touched = new Set<number>();
    for (const index of this.#places.get(pair) ?? []) {
      const piece = this.#pieces[index];
      const merged: number[] = [];
      const { tokens } = piece;
      for (let i = 0; i < tokens.length; i++) {
        if (tokens[i] === left && tokens[i + 1] === right) {
          merged.push(id);
          i++;
        } else merged.push(tokens[i]);
      }
      if (merged.length === tokens.length) continue;
      for (let i = 0; i + 1 < tokens.length; i++) this.#drop(tokens[i], tokens[i + 1], piece.count);
      for (let i = 0; i + 1 < merged.length; i++) {
        this.#add(merged[i], merged[i + 1], piece.count, index);
        if (merged[i] === id || merged[i + 1] === id) touched.add(merged[i] * pairBase + merged[i + 1]);
      }
      piece.tokens = merged;
    }
    this.#counts.delete(pair);
    this.#places.delete(pair);
    for (const made of touched) this.#heap.push(made, this.#counts.get(made) ?? 0);
  }

  #add(left: number, right: number, count: number, index: number): void {
    const pair = left * pairBase + right;
    this.#counts.set(pair, (this.#counts.get(pair) ?? 0) + count);
    const places = this.#places.get(pair);
    if (places) places.add(index);
    else this.#places.set(pair, new Set([index]));
  }

  #drop(left: number, right: number, count: number): void {
    const pair = left * pairBase + right;
    this.#counts.set(pair, (this.#counts.get(pair) ?? 0) - count);
  }
}
