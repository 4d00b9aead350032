import { readFloats } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { throwIfAborted } from "@statespace/files";
import type { Model } from "../model/model.ts";
import type { ModelState } from "../model/state.ts";
import { nextTask } from "../eventLoop.ts";
import type { Standing } from "./places.ts";
import { PromptReader } from "./promptReader.ts";

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
  /** Tokens read at once; default 512. Pieces end where the text's length is a multiple of it. */
  readonly chunk?: number | undefined;
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
  refuseUnknown("prefill", options, ["initialState", "chunk", "signal", "onProgress"]);
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
  { signal, onProgress, onPiece, ...options }: PrefillOptions & PieceOptions = {},
): Promise<Standing> {
  await model.present();
  const reader = new PromptReader(model, prompts, options);
  try {
    while (reader.done < reader.total) {
      throwIfAborted(signal, "prefill");
      const logits = reader.next();
      onProgress?.({ done: reader.done, total: reader.total });
      await onPiece?.(reader);
      // Waiting for the device, then for events, lets pages breathe and aborts act between chunks.
      if (reader.done < reader.total) await readFloats(logits).then(nextTask);
    }
    return reader.take();
  } catch (error) {
    reader.dispose();
    throw error;
  }
}

interface PieceOptions {
  /** Told after each piece, before the next one. */
  readonly onPiece?: ((reader: PromptReader) => Promise<void>) | undefined;
}
