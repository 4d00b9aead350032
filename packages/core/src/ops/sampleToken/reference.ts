import { ndclone, ndzeros, type NdArray } from "../../math/ndarray.ts";
import { threefry2x32 } from "../../math/threefry.ts";
import type { NdArrays } from "../declaration.ts";

/** The arguments of `sampleToken` in float64. */
interface SampleArrays {
  readonly logits: NdArray;
  readonly settings: NdArray;
  readonly random: NdArray;
  readonly id: NdArray;
  readonly counts?: NdArray | undefined;
}

/** A token that may be drawn. */
interface Candidate {
  readonly id: number;
  readonly score: number;
  readonly weight: bigint;
}

const f32 = Math.fround;
const ONE = 1n << 32n;

/** 2^h = sum c_i h^i for h in [0, 1), in units of 2^-31: error 3e-9 (interpolated at Chebyshev's nodes). */
const POWER = [2147483653n, 1488521704n, 515890973n, 119143746n, 20796632n, 2661018n, 469564n];

/** 2^-octaves in units of 2^-31, all in whole numbers, 0 from 32 octaves on: the same on every machine. */
export function fixedWeight(octaves: number): bigint {
  if (!(octaves < 32)) return 0n;
  const n = BigInt(Math.floor(octaves * 2 ** 24));
  const h = ONE - 1n - ((n & 0xffffffn) << 8n);
  const power = POWER.reduceRight((sum, c) => c + ((sum * h) >> 32n));
  return power >> ((n >> 24n) + 1n);
}

/** Logits of one row after the penalties, each step rounded to float32. */
function penalised(logits: readonly number[], settings: readonly number[], counts: readonly number[]): number[] {
  const [, , , , repetition, reciprocal, presence, frequency] = settings as number[];
  return logits.map((logit, id) => {
    const seen = counts[id] ?? 0;
    if (seen === 0) return logit;
    const score = f32(logit * (logit < 0 ? repetition! : reciprocal!));
    const generated = seen % 2 ** 30;
    return generated === 0 ? score : f32(f32(score - presence!) - f32(frequency! * generated));
  });
}

/** What top-k, then top-p, then min-p keep of the tokens, the most probable first. */
function keptOf(scores: readonly number[], settings: readonly number[]): Candidate[] {
  const [sharpness, topK, topP, minP] = settings as [number, number, number, number];
  const best = Math.max(...scores);
  const sorted = scores
    .map((score, id): Candidate => ({ id, score, weight: fixedWeight(f32(f32(best - score) * sharpness)) }))
    .sort((x, y) => y.score - x.score || x.id - y.id);
  const last = topK > 0 && topK < sorted.length ? sorted[topK - 1]!.score : Number.NEGATIVE_INFINITY;
  const top = sorted.filter(({ score }) => score >= last);
  const mass = top.reduce((sum, { weight }) => sum + weight, 0n);
  const limit = topP < 1 ? (mass * BigInt(Math.floor(topP * 2 ** 32))) / ONE : mass;
  const floor = BigInt(Math.floor(minP * 2 ** 31));
  let before = 0n;
  return top.filter(({ weight }, rank) => {
    const kept = rank === 0 || (before < limit && weight >= floor);
    before += weight;
    return kept;
  });
}

/** The token whose share of the kept mass, in the order of the ids, the random word falls into. */
function draw(kept: readonly Candidate[], word: number): number {
  const mass = kept.reduce((sum, { weight }) => sum + weight, 0n);
  let left = (mass * BigInt(word)) / ONE;
  for (const { id, weight } of kept.toSorted((x, y) => x.id - y.id)) {
    if (left < weight) return id;
    left -= weight;
  }
  return -1;
}

function chooseToken(scores: readonly number[], settings: readonly number[], word: number): number {
  const best = Math.max(...scores);
  if (!Number.isFinite(best)) return -1; // NaN, too
  return settings[0] === 0 ? scores.indexOf(best) : draw(keptOf(scores, settings), word);
}

/** log softmax of the row at an id. */
function logProbability(logits: readonly number[], id: number): number {
  if (id < 0) return Number.NaN;
  const best = Math.max(...logits);
  return logits[id]! - best - Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - best), 0));
}

/** By a whole sort, row by row. */
export function sampleTokenReference(
  { logits, settings, random, id, counts }: SampleArrays,
  { logprob }: { readonly logprob: boolean },
): NdArrays {
  const [b, v] = logits.shape as [number, number];
  const out = { id: ndclone(id), random: ndclone(random), ...(counts ? { counts: ndclone(counts) } : {}) };
  const logprobs = ndzeros([b]);
  const row = (x: NdArray, i: number, width: number): number[] => [...x.data.subarray(i * width, (i + 1) * width)];
  for (let i = 0; i < b; i++) {
    const [k0, k1, c0, c1] = row(random, i, 4) as [number, number, number, number];
    const [word] = threefry2x32([k0, k1], [c0, c1]);
    const raw = row(logits, i, v);
    const set = row(settings, i, 8);
    const token = chooseToken(penalised(raw, set, counts ? row(counts, i, v) : []), set, word);
    out.id.data[i] = token;
    if (counts && token >= 0) out.counts!.data[i * v + token]! += 1;
    out.random.data[4 * i + 2] = (c0 + 1) | 0;
    out.random.data[4 * i + 3] = c0 === -1 ? (c1 + 1) | 0 : c1;
    logprobs.data[i] = logProbability(raw, token);
  }
  return logprob ? { ...out, logprob: logprobs } : out;
}
