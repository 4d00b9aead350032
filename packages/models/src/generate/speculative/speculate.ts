import { keep, NonFiniteError, readInts, reshape, tensor, tidy, zeros, type Tensor } from "@statespace/core";
import { copy, sampleSettings, sampleToken, sliceAxis } from "@statespace/core/ops";
import type { Model } from "../../model/model.ts";
import { copyStanding, type Standing } from "../places.ts";
import type { Round, TokenLoop } from "../tokenLoop.ts";
import type { Proposer } from "./proposer.ts";

/** Where a text stands between two rounds. */
interface Writing {
  readonly loop: TokenLoop;
  readonly settings: Float32Array; // [8]
  readonly streams: Int32Array; // [4], as the text began
  /** What penalties count, kept up to date; [v] */
  readonly counts: Int32Array | undefined;
  /** Draws so far. */
  draws: number;
}

/**
 * Tokens of one text, several at a time where a guess holds: the model reads the guessed tokens at once, each is drawn as it would be
 * without the guess (by the same generator, from the scores before it), and the guess holds as far as the draws agree with it. Then the state is
 * that after what held, read anew from before the guess. So the tokens are those without guesses, but where two scores are as near as
 * reading at once and step by step may round.
 * Source: arXiv 2211.17192; lookup in the text as in Hugging Face transformers' prompt lookup.
 */
export async function* speculate(
  loop: TokenLoop,
  { settings, streams, counts }: Omit<Round, "logprobs">,
  { proposer, most, ids }: { proposer: Proposer; most: number; ids: readonly number[] },
): AsyncGenerator<number, void, undefined> {
  const own = sampleSettings(settings.greedy ? { ...settings, temperature: 0 } : settings);
  const writing: Writing = { loop, settings: own, streams: streams.slice(), counts: counts?.slice(), draws: 0 };
  const text = [...ids];
  let [next] = await draw(writing, loop.logits, []);
  for (;;) {
    if (next === -1) throw new NonFiniteError("sampling: the logits hold a NaN, are infinite, or are all -infinity");
    const guess = await proposer.propose([...text, next!], most);
    if (guess.length === 0) {
      await loop.take(Int32Array.of(next!));
      const token = next!;
      count(writing, token);
      [next] = await draw(writing, loop.logits, []);
      text.push(token);
      yield token;
      continue;
    }
    const before = copyStanding(loop);
    try {
      const tokens = [next!, ...guess];
      const drawn = await verify(writing, tokens);
      let held = 0;
      while (held < guess.length && drawn[held] === guess[held]) held++;
      const taken = tokens.slice(0, held + 1);
      if (held < guess.length) read(loop, before, taken);
      next = drawn[held];
      // Draws behind the one that did not agree were not made.
      writing.draws -= guess.length - held;
      for (const token of taken) count(writing, token);
      let given = 0;
      try {
        for (const token of taken) {
          text.push(token);
          given++;
          yield token;
        }
      } finally {
        // Whoever left in the middle finds the state after the last token that was handed out.
        if (given < taken.length) read(loop, before, taken.slice(0, given));
      }
    } finally {
      before.state.dispose();
      before.logits.dispose();
    }
  }
}

function count({ counts }: Writing, token: number): void {
  if (counts !== undefined) counts[token]!++;
}

/** The model reads tokens at once, and the loop goes on behind them; what is drawn after each. */
async function verify(writing: Writing, tokens: readonly number[]): Promise<Int32Array> {
  const { loop } = writing;
  const { model } = loop;
  const { rows, standing } = forward(model, loop.state, tokens);
  try {
    return await draw(writing, rows, tokens);
  } finally {
    rows.dispose();
    loop.replace(standing.state, standing.logits);
  }
}

/** Scores after each of some tokens [l, v], and where the text stands behind them. */
function forward(
  model: Model,
  initialState: Standing["state"],
  tokens: readonly number[],
): { rows: Tensor; standing: Standing } {
  const l = tokens.length;
  const { rows, state, logits } = tidy(() => {
    const x = tensor(Int32Array.from(tokens), [1, l], { backend: model.backend });
    const { output, state } = model.forward(x, { initialState, returnState: true });
    const all = reshape(output, [l, model.vocabSize]);
    const last = zeros([1, model.vocabSize], { backend: model.backend });
    copy({ destination: last, source: sliceAxis(all, 0, l - 1, 1) });
    return { rows: keep(all), state: state!, logits: keep(last) };
  });
  return { rows, standing: { state, logits } };
}

/** The loop goes on behind tokens that are read from a place on. */
function read(loop: TokenLoop, before: Standing, tokens: readonly number[]): void {
  if (tokens.length === 0) {
    const { state, logits } = copyStanding(before);
    loop.replace(state, logits);
    return;
  }
  const { rows, standing } = forward(loop.model, before.state, tokens);
  rows.dispose();
  loop.replace(standing.state, standing.logits);
}

/** Draws a token from each row of scores [l, v]; `tokens` stand before them, one more in each row. */
async function draw(writing: Writing, logits: Tensor, tokens: readonly number[]): Promise<Int32Array> {
  const { settings, counts } = writing;
  const [l, v] = logits.shape as [number, number];
  const { backend } = logits;
  const id = keep(tensor(new Int32Array(l), [l], { backend }));
  try {
    tidy(() => {
      const random = new Int32Array(4 * l);
      for (let row = 0; row < l; row++) random.set(streamAt(writing, row), 4 * row);
      sampleToken({
        logits,
        settings: tensor(
          Float32Array.from({ length: 8 * l }, (_, i) => settings[i % 8]!),
          [l, 8],
          { backend },
        ),
        random: tensor(random, [l, 4], { backend }),
        id,
        counts: counts && tensor(countsBehind(counts, tokens, l), [l, v], { backend }),
      });
    });
    const ids = await readInts(id);
    writing.draws += l;
    return ids;
  } finally {
    id.dispose();
  }
}

/** The generator so many draws on. */
function streamAt({ streams, draws }: Writing, row: number): Int32Array {
  const [k0, k1, c0, c1] = streams as unknown as [number, number, number, number];
  const low = (c0 >>> 0) + draws + row;
  return Int32Array.of(k0, k1, low | 0, (c1 + Math.floor(low / 2 ** 32)) | 0);
}

/** Counts of each row, which has one more of the tokens behind it. */
function countsBehind(counts: Int32Array, tokens: readonly number[], l: number): Int32Array {
  const all = new Int32Array(l * counts.length);
  const own = counts.slice();
  for (let row = 0; row < l; row++) {
    if (row < tokens.length) own[tokens[row]!]!++;
    all.set(own, row * counts.length);
  }
  return all;
}
