import { ArgumentError, keep, mul, readFloats, tensor, tidy, type Tensor } from "@statespace/core";
import { throwIfAborted } from "@statespace/files";
import type { ModelState } from "../model/state.ts";
import { nextTask } from "./eventLoop.ts";
import type { Model } from "../model/model.ts";

/** Tokens run at once while a prompt is read: bounds the memory a long prompt takes. */
export const PREFILL_CHUNK = 512;

/** What `prefill` returns; the caller disposes the state. */
export interface Prefilled {
  /** Logits after each prompt's last token, [b * v]. */
  readonly logits: Float32Array;
  readonly state: ModelState;
}

/** Options of `prefill`; progress counts tokens of the longest prompt. */
export interface PrefillOptions {
  /** State to go on from, left as it is; zero if absent. */
  readonly initialState?: ModelState | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

/**
 * Runs prompts of unequal length through the model at once. Shorter ones are padded on the left as a sequence of their own,
 * so that the padding reaches neither state nor convolution: each prompt gets what it would get alone.
 * @throws ArgumentError for an empty prompt, an id out of range, or unequal prompts with an initial state; AbortedError.
 */
export async function prefill(
  model: Model,
  prompts: readonly ArrayLike<number>[],
  options: PrefillOptions = {},
): Promise<Prefilled> {
  const { logits, state } = await readPrompts(model, prompts, options);
  try {
    return { logits: await readFloats(logits), state };
  } catch (error) {
    state.dispose();
    throw error;
  } finally {
    logits.dispose();
  }
}

/** As `prefill`, but the logits [b, v] stay on the device; the caller disposes them too. */
export async function readPrompts(
  model: Model,
  prompts: readonly ArrayLike<number>[],
  options: PrefillOptions = {},
): Promise<{ readonly logits: Tensor; readonly state: ModelState }> {
  checkPrompts(prompts, model.vocabSize);
  const length = Math.max(...prompts.map((p) => p.length));
  const ragged = prompts.some((p) => p.length !== length);
  if (ragged && options.initialState)
    throw new ArgumentError("prefill: prompts that go on from a state must be of equal length");
  const { ids, seqIdx } = padLeft(prompts, length);
  let state = options.initialState;
  let logits: Tensor | undefined;
  try {
    for (let from = 0; from < length; from += PREFILL_CHUNK) {
      throwIfAborted(options.signal, "prefill");
      const until = Math.min(length, from + PREFILL_CHUNK);
      const previous: ModelState | undefined = state;
      logits?.dispose();
      const result = runChunk(model, {
        ids,
        seqIdx: ragged ? seqIdx : undefined,
        length,
        from,
        until,
        state: previous,
      });
      logits = keep(result.logits);
      state = result.state;
      if (previous !== options.initialState) previous?.dispose();
      options.onProgress?.({ done: until, total: length });
      // Waiting for the device, then for events, lets pages breathe and aborts act between chunks.
      if (until < length) await readFloats(logits).then(nextTask);
    }
    return { logits: logits!, state: state! };
  } catch (error) {
    if (state !== options.initialState) state?.dispose();
    logits?.dispose();
    throw error;
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

function runChunk(
  model: Model,
  { ids, seqIdx, length, from, until, state }: Chunk,
): { logits: Tensor; state: ModelState } {
  const batch = ids.length / length;
  const cut = (rows: Int32Array): Tensor =>
    tensor(rowsBetween(rows, length, from, until), [batch, until - from], { backend: model.backend });
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
    if (prompt.length === 0) throw new ArgumentError(`prefill: prompt ${row} is empty; start from a bos or eos token`);
    for (let i = 0; i < prompt.length; i++) {
      const id = prompt[i]!;
      if (!Number.isInteger(id) || id < 0 || id >= vocabSize)
        throw new ArgumentError(`prefill: id ${id} at ${i} of prompt ${row} is not in [0, ${vocabSize})`);
    }
  });
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
