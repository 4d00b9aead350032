import { ArgumentError, keep, mul, tensor, tidy, type Tensor } from "@statespace/core";
import type { Model } from "../model/model.ts";
import type { ModelState } from "../model/state.ts";
import type { Standing } from "./places.ts";

/** Tokens read at once unless told otherwise: bounds the memory a long prompt takes. */
export const PREFILL_CHUNK = 512;

/** Where reading begins, and how. */
export interface PromptReaderOptions {
  /** State to go on from, left as it is; zero if absent. */
  readonly initialState?: ModelState | undefined;
  /** Tokens read at once; default `PREFILL_CHUNK`. */
  readonly chunk?: number | undefined;
}

/**
 * Reads prompts piece by piece. Pieces end where the text's length is a multiple of `chunk`, whatever state it begins with: a prompt that is
 * read in two parts, the first of which ends at such a place, gives the bits of one that is read at once.
 */
export class PromptReader {
  readonly model: Model;
  /** Tokens of the longest prompt. */
  readonly total: number;
  /** Tokens read so far. */
  done = 0;
  readonly #ids: Int32Array;
  readonly #seqIdx: Int32Array | undefined;
  readonly #initial: ModelState | undefined;
  readonly #chunk: number;
  #state: ModelState | undefined;
  #logits: Tensor | undefined;

  /** @throws ArgumentError for an empty prompt, an id out of range, or unequal prompts with an initial state. */
  constructor(model: Model, prompts: readonly ArrayLike<number>[], options: PromptReaderOptions = {}) {
    checkPrompts(prompts, model.vocabSize);
    this.model = model;
    this.total = Math.max(...prompts.map((p) => p.length));
    const ragged = prompts.some((p) => p.length !== this.total);
    if (ragged && options.initialState)
      throw new ArgumentError("prefill: prompts that go on from a state must be of equal length");
    const { ids, seqIdx } = padLeft(prompts, this.total);
    this.#ids = ids;
    this.#seqIdx = ragged ? seqIdx : undefined;
    this.#initial = options.initialState;
    this.#state = options.initialState;
    this.#chunk = options.chunk ?? PREFILL_CHUNK;
  }

  /** Tokens that the state saw, those before the prompt too. */
  get position(): number {
    return (this.#initial?.position ?? 0) + this.done;
  }

  /** The state and the scores after what was read; they belong to the reader, and the next piece replaces them. */
  get standing(): Standing {
    return { state: this.#state!, logits: this.#logits! };
  }

  /** Reads one piece more; its scores are on their way. */
  next(): Tensor {
    const reading = this.inParts(Number.POSITIVE_INFINITY);
    while (reading.next().done !== true);
    return this.#logits!;
  }

  /**
   * Reads one piece more with rests, in parts of the layers that cost about as much as so many tokens of all of them; the bits are those of
   * one part. What is yielded is there when a part is done.
   */
  *inParts(tokens: number): Generator<Tensor, void, undefined> {
    const [from, previous] = [this.done, this.#state];
    const until = Math.min(this.total, from + this.#chunk - (this.position % this.#chunk));
    this.#logits?.dispose();
    this.#logits = undefined;
    const { logits, state } = yield* runChunk(
      this.model,
      { ids: this.#ids, seqIdx: this.#seqIdx, length: this.total, from, until, state: previous },
      Math.ceil((until - from) / tokens),
    );
    this.#logits = keep(logits);
    this.#state = state;
    if (previous !== this.#initial) previous?.dispose();
    this.done = until;
  }

  /** The state and the scores after all of it, the caller's from now on. */
  take(): Standing {
    const taken = this.standing;
    this.#state = this.#initial;
    this.#logits = undefined;
    return taken;
  }

  dispose(): void {
    if (this.#state !== this.#initial) this.#state?.dispose();
    this.#state = this.#initial;
    this.#logits?.dispose();
    this.#logits = undefined;
  }
}

interface Chunk {
  readonly ids: Int32Array;
  readonly seqIdx: Int32Array | undefined;
  readonly length: number;
  readonly from: number;
  readonly until: number;
  readonly state: ModelState | undefined;
}

function* runChunk(
  model: Model,
  { ids, seqIdx, length, from, until, state }: Chunk,
  parts: number,
): Generator<Tensor, { logits: Tensor; state: ModelState }, undefined> {
  const batch = ids.length / length;
  const cut = (rows: Int32Array): Tensor =>
    tensor(rowsBetween(rows, length, from, until), [batch, until - from], { backend: model.backend });
  if (parts > 1 && seqIdx === undefined) {
    const own = keep(cut(ids));
    try {
      const { output, state: next } = yield* model.forwardInParts(own, state, parts);
      return { logits: output, state: next };
    } finally {
      own.dispose();
    }
  }
  // The scan sees boundaries inside a chunk; one that falls between two chunks is the carried state's to forget.
  const carries = seqIdx === undefined ? undefined : carriedRows(seqIdx, length, from);
  const initialState =
    state !== undefined && carries?.includes(0) ? state.mapTensors((t) => maskRows(t, carries)) : state;
  const { logits, next } = tidy(() => {
    const result = model.forward(cut(ids), {
      initialState,
      returnState: true,
      lastOnly: true,
      seqIdx: seqIdx && cut(seqIdx),
    });
    return { logits: result.output, next: result.state! };
  });
  if (initialState !== state) initialState?.dispose();
  return { logits, state: next };
}

/** 1 for rows whose sequence goes on over `from`, 0 where a new one starts there. */
function carriedRows(seqIdx: Int32Array, length: number, from: number): number[] {
  return Array.from({ length: seqIdx.length / length }, (_, row) =>
    from > 0 && seqIdx[row * length + from] !== seqIdx[row * length + from - 1] ? 0 : 1,
  );
}

function maskRows(t: Tensor, rows: readonly number[]): Tensor {
  return tidy(() => mul(t, tensor(rows, [rows.length, ...t.shape.slice(1).map(() => 1)], { backend: t.backend })));
}

function rowsBetween(rows: Int32Array, length: number, from: number, until: number): Int32Array {
  const out = new Int32Array((rows.length / length) * (until - from));
  for (let row = 0; row < rows.length / length; row++)
    out.set(rows.subarray(row * length + from, row * length + until), row * (until - from));
  return out;
}

function checkPrompts(prompts: readonly ArrayLike<number>[], vocabSize: number): void {
  if (!(prompts.length > 0)) throw new ArgumentError("prefill: needs at least one prompt");
  prompts.forEach((prompt, row) => {
    if (typeof prompt?.length !== "number")
      throw new ArgumentError(
        `prefill: prompts must be lists of ids, one a prompt, but prompt ${row} is ${String(prompt)}`,
      );
    checkPromptIds(`prefill: prompt ${row}`, prompt, vocabSize);
  });
}

/** @throws ArgumentError for an empty prompt, or an id out of range. */
export function checkPromptIds(what: string, prompt: ArrayLike<number>, vocabSize: number): void {
  if (!(prompt.length > 0)) throw new ArgumentError(`${what} is empty; start from a bos or eos token`);
  for (let i = 0; i < prompt.length; i++) {
    const id = prompt[i]!;
    if (!Number.isInteger(id) || id < 0 || id >= vocabSize)
      throw new ArgumentError(`${what}: id ${id} at ${i} is not in [0, ${vocabSize})`);
  }
}

function padLeft(prompts: readonly ArrayLike<number>[], length: number): { ids: Int32Array; seqIdx: Int32Array } {
  const ids = new Int32Array(prompts.length * length);
  const seqIdx = new Int32Array(prompts.length * length);
  prompts.forEach((prompt, row) => {
    const start = row * length + length - prompt.length;
    ids.set(Array.from(prompt), start);
    seqIdx.fill(1, start, (row + 1) * length);
  });
  return { ids, seqIdx };
}
