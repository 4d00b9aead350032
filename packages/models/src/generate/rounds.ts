import { ArgumentError } from "@statespace/core";
import { guidesOf, samplerSettings } from "./guides/guidesOf.ts";
import type { TokenGuide } from "./guides/tokenGuide.ts";
import type { History } from "./history.ts";
import { logprobsOf, type TokenLogprob } from "./logprobs.ts";
import { countsTokens, type TokenOptions } from "./options.ts";
import { guessesOf } from "./speculative/guesses.ts";
import { speculate } from "./speculative/speculate.ts";
import type { TokenLoop } from "./tokenLoop.ts";

/** One token of each row, and what was asked to be told of it. */
export interface RoundOfTokens {
  readonly ids: Int32Array;
  readonly logprobs: ArrayLike<number> | undefined;
  readonly top: readonly (readonly TokenLogprob[])[] | undefined;
  /** Rows whose text a guide says is complete. */
  readonly complete: ReadonlySet<number>;
}

const NONE: ReadonlySet<number> = new Set();

/** Tokens of each row, one after the other, without end: on the device alone, unless something wants to look at each. */
export async function* roundsOf(
  loop: TokenLoop,
  { options, history, streams }: { options: TokenOptions; history: History; streams: Int32Array },
): AsyncGenerator<RoundOfTokens, void, undefined> {
  const { logprobs = false, topLogprobs = 0, eosTokenIds = loop.model.resolved.eosTokenIds } = options;
  const { vocabSize } = loop.model;
  const counts = countsTokens(options) ? history.counts(vocabSize) : undefined;
  const guides = history.rows.map((ids, row) => guidesOf(options, eosTokenIds, { ids, seen: () => history.seen(row) }));
  const round = { settings: samplerSettings(options), streams, counts, logprobs };
  const guesses = guessesOf(options, loop.model, history.rows.length);
  if (guesses !== undefined) {
    if (guides.some((own) => own.length > 0)) throw new ArgumentError("tokens: guesses and guides exclude each other");
    // What is read at once rounds otherwise than what is said one by one.
    history.pieces = undefined;
    const ids = history.rows[0]!;
    try {
      for await (const id of speculate(loop, round, { ...guesses, ids }))
        yield { ids: Int32Array.of(id), logprobs: undefined, top: undefined, complete: NONE };
    } finally {
      guesses.proposer.dispose();
    }
    return;
  }
  if (guides.every((own) => own.length === 0) && topLogprobs === 0) {
    for await (const { ids, logprobs } of loop.draw(round)) yield { ids, logprobs, top: undefined, complete: NONE };
    return;
  }
  let made = 0;
  const all = guides.flat();
  const tells = logprobs || topLogprobs > 0;
  const drawing = loop.drawGuided(round, {
    needsLogits: tells || all.some(({ needsLogits }) => needsLogits === true),
    steer:
      all.length === 0
        ? undefined
        : async (bias, logits) => {
            for (const [row, own] of guides.entries()) {
              const ofRow = (values: Float32Array): Float32Array =>
                values.subarray(row * vocabSize, (row + 1) * vocabSize);
              const place = { ids: history.rows[row]!, made, logits: logits && ofRow(logits) };
              for (const guide of own) {
                await guide.prepare?.();
                guide.guide(ofRow(bias), place);
              }
            }
          },
  });
  try {
    for await (const { ids, logits } of drawing) {
      made++;
      const told = tells ? logprobsOfRows(logits!, ids, vocabSize, topLogprobs) : undefined;
      yield {
        ids,
        logprobs: told?.map(({ logprob }) => logprob),
        top: topLogprobs > 0 ? told?.map(({ top }) => top) : undefined,
        complete: acceptedBy(guides, ids),
      };
    }
  } finally {
    for (const guide of all) guide.dispose?.();
  }
}

function logprobsOfRows(
  logits: Float32Array,
  ids: Int32Array,
  v: number,
  top: number,
): { logprob: number; top: readonly TokenLogprob[] }[] {
  return Array.from(ids, (id, row) => logprobsOf(logits.subarray(row * v, (row + 1) * v), id, top));
}

/** Tells the guides what was chosen; rows whose text is complete. */
function acceptedBy(guides: readonly (readonly TokenGuide[])[], ids: Int32Array): ReadonlySet<number> {
  const complete = new Set<number>();
  guides.forEach((own, row) => {
    for (const guide of own) if (guide.accept?.(ids[row]!) === true) complete.add(row);
  });
  return complete;
}
