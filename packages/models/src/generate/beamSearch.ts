import { ArgumentError, gather, tensor } from "@statespace/core";
import { throwIfAborted } from "@statespace/files";
import { Decoder } from "./decoder.ts";
import { FrameKeeper } from "../eventLoop.ts";
import { guidesOf } from "./guides/guidesOf.ts";
import { largestOf } from "./logprobs.ts";
import { checkTokenOptions, refuseUnknownOptions, type GuideOptions } from "./options.ts";
import type { Session } from "./session.ts";

/** Options of `beamSearch`, by the names of Hugging Face transformers. */
export interface BeamSearchOptions extends Omit<GuideOptions, "guide" | "typicalP"> {
  /** Texts that are followed at once; default 4. */
  readonly numBeams?: number;
  /** Texts that are returned, at most `numBeams`; default 1. */
  readonly numReturnSequences?: number;
  /** Tokens to add at most; default 64. */
  readonly maxNewTokens?: number;
  /** A text's score is its log probability divided by its new tokens to this power; default 1. Above 0 favours longer ones. */
  readonly lengthPenalty?: number;
  /** `true` ends with `numBeams` finished texts; `false`, the default, when none that is still open looks better; `"never"` when none can become better. */
  readonly earlyStopping?: boolean | "never";
  /** Tokens that end a text, by default the config's; `[]` for none. */
  readonly eosTokenIds?: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

/** A text that beam search found. */
export interface Beam {
  /** The new tokens, the one that ends the text included. */
  readonly ids: readonly number[];
  /** See `lengthPenalty`. */
  readonly score: number;
  /** Natural logarithm of the text's probability. */
  readonly logprob: number;
}

interface Open {
  readonly ids: readonly number[];
  readonly logprob: number;
}

const OPTIONS = [
  "numBeams",
  "numReturnSequences",
  "maxNewTokens",
  "lengthPenalty",
  "earlyStopping",
  "eosTokenIds",
  "signal",
  "noRepeatNgramSize",
  "logitBias",
  "badWordsIds",
  "minNewTokens",
  "minLength",
];

/**
 * The most probable texts that a session may go on with, the best first. All beams start from one state, which the session keeps: it
 * is left as it is.
 * @throws ArgumentError naming the option that is unknown or out of range; AbortedError.
 */
export async function beamSearch(session: Session, options: BeamSearchOptions = {}): Promise<Beam[]> {
  refuseUnknownOptions("beamSearch", options, OPTIONS);
  const settings = checked(session, options);
  const { numBeams, maxNewTokens } = settings;
  if (maxNewTokens === 0) return [];
  const beams = session.fork({ rows: numBeams });
  const first = await beams.scores();
  const decoder = new Decoder(session.model, beams.state.clone(), numBeams);
  beams.dispose();
  const frames = new FrameKeeper();
  try {
    // At first all beams are one.
    let open: Open[] = [{ ids: [], logprob: 0 }];
    let finished: Beam[] = [];
    let scores = first;
    for (let length = 1; ; length++) {
      throwIfAborted(options.signal, "beamSearch");
      const candidates = extend(open, scores, session.ids, settings);
      const last = length === maxNewTokens;
      // Of the candidates behind the best beams, an ended one is none.
      const ended = candidates.filter(({ id }, rank) => (settings.isEos(id) || last) && rank < numBeams);
      finished = [...finished, ...ended.map(({ text }) => closed(text, settings))]
        .toSorted((x, y) => y.score - x.score)
        .slice(0, numBeams);
      const next = candidates.filter(({ id }) => !settings.isEos(id)).slice(0, numBeams);
      if (last || next.length === 0 || isOver(finished, next[0]!.text, length, settings)) break;
      const rows = Array.from({ length: numBeams }, (_, i) => next[Math.min(i, next.length - 1)]!);
      const state = reordered(decoder, rows);
      decoder.state.copyFrom(state);
      state.dispose();
      scores = await decoder.next(rows.map(({ id }) => id));
      open = next.map(({ text }) => text);
      await frames.breathe();
    }
    return finished.slice(0, settings.numReturnSequences);
  } finally {
    decoder.dispose();
  }
}

interface Settings extends Required<
  Pick<BeamSearchOptions, "numBeams" | "numReturnSequences" | "maxNewTokens" | "lengthPenalty" | "earlyStopping">
> {
  readonly eosTokenIds: readonly number[];
  readonly isEos: (id: number) => boolean;
  readonly guides: BeamSearchOptions;
}

function checked(session: Session, options: BeamSearchOptions): Settings {
  const { numBeams = 4, numReturnSequences = 1, lengthPenalty = 1, earlyStopping = false, maxNewTokens = 64 } = options;
  const { signal: _, ...given } = options;
  checkTokenOptions("beamSearch", given, session.model.vocabSize);
  if (session.rows !== 1)
    throw new ArgumentError(`beamSearch: is for one text, and the session has ${session.rows} rows`);
  for (const [name, value, most] of [
    ["numBeams", numBeams, session.model.vocabSize] as const,
    ["numReturnSequences", numReturnSequences, numBeams] as const,
  ])
    if (!Number.isSafeInteger(value) || value < 1 || value > most)
      throw new ArgumentError(`beamSearch: ${name} must be a whole number in 1..${most}, got ${value}`);
  if (!Number.isFinite(lengthPenalty))
    throw new ArgumentError(`beamSearch: lengthPenalty must be a finite number, got ${lengthPenalty}`);
  if (![true, false, "never"].includes(earlyStopping))
    throw new ArgumentError(`beamSearch: earlyStopping must be true, false or "never", got ${String(earlyStopping)}`);
  const { eosTokenIds = session.model.resolved.eosTokenIds } = options;
  const isEos = (id: number): boolean => eosTokenIds.includes(id);
  return {
    numBeams,
    numReturnSequences,
    lengthPenalty,
    earlyStopping,
    maxNewTokens,
    eosTokenIds,
    isEos,
    guides: options,
  };
}

interface Candidate {
  /** Beam that it goes on from. */
  readonly from: number;
  readonly id: number;
  readonly text: Open;
}

/** The most probable ways to go on, over all beams: enough that `numBeams` of them are open whatever ends. */
function extend(open: readonly Open[], scores: Float32Array, read: readonly number[], settings: Settings): Candidate[] {
  const v = scores.length / settings.numBeams;
  const count = Math.max(2, 1 + settings.eosTokenIds.length) * settings.numBeams;
  const all = open.flatMap(({ ids, logprob }, from) => {
    const own = Float64Array.from(scores.subarray(from * v, (from + 1) * v));
    const norm = logSumExp(own);
    const bias = new Float32Array(v);
    const text = { ids: [...read, ...ids], seen: () => ({ read: new Set<number>(), said: new Map<number, number>() }) };
    // Made anew, since a beam may go on from another one's text.
    for (const guide of guidesOf(settings.guides, settings.eosTokenIds, text))
      guide.guide(bias, { ids: text.ids, made: ids.length, logits: undefined });
    const total = own.map((score, id) => logprob + score - norm + bias[id]!);
    return largestOf(total, Math.min(count, v))
      .filter((id) => total[id]! > Number.NEGATIVE_INFINITY)
      .map((id): Candidate => ({ from, id, text: { ids: [...ids, id], logprob: total[id]! } }));
  });
  return all.toSorted((x, y) => y.text.logprob - x.text.logprob).slice(0, count);
}

function logSumExp(scores: Float64Array): number {
  const best = scores.reduce((x, y) => Math.max(x, y), Number.NEGATIVE_INFINITY);
  return best + Math.log(scores.reduce((sum, score) => sum + Math.exp(score - best), 0));
}

function closed({ ids, logprob }: Open, { lengthPenalty }: Settings): Beam {
  return { ids, logprob, score: logprob / ids.length ** lengthPenalty };
}

/** Whether none of the open texts is to be waited for. */
function isOver(
  finished: readonly Beam[],
  best: Open,
  length: number,
  { numBeams, earlyStopping, lengthPenalty, maxNewTokens }: Settings,
): boolean {
  if (finished.length < numBeams) return false;
  if (earlyStopping === true) return true;
  const hoped = earlyStopping === "never" && lengthPenalty > 0 ? maxNewTokens : length;
  return best.logprob / hoped ** lengthPenalty <= finished.at(-1)!.score;
}

/** The state with each beam's rows in its new place. */
function reordered({ state }: Decoder, rows: readonly Candidate[]): Decoder["state"] {
  const order = tensor(
    Int32Array.from(rows, ({ from }) => from),
    [rows.length],
    { backend: [...state.tensors()][0]![1].backend },
  );
  try {
    return state.mapTensors((t) => gather(t, order, 0));
  } finally {
    order.dispose();
  }
}
