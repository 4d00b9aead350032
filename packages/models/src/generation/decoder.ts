import { capture, keep, readFloats, tensor, writeInto, type Captured, type Tensor } from "@statespace/core";
import type { LanguageModel } from "../language/model.ts";
import type { ModelState } from "../language/modelState.ts";

/**
 * Token-by-token decoding from a state of constant size. The first step is captured; each later one is a replay:
 * write the ids, run the recorded launches, read the logits.
 *
 * The decoder owns `state` and changes it in place; `state.clone()` and `state.copyFrom()` fork and roll back.
 */
export class Decoder {
  readonly model: LanguageModel;
  readonly state: ModelState;
  readonly #ids: Tensor; // int32 [b]
  #graph: Captured<Tensor> | undefined;

  /** @param state taken over: the decoder disposes it. */
  constructor(model: LanguageModel, state: ModelState, batch: number) {
    this.model = model;
    this.state = state;
    this.#ids = keep(tensor(new Int32Array(batch)));
  }

  /** Feeds one token per sequence; logits [b * v] of the next. */
  async next(ids: ArrayLike<number>): Promise<Float32Array> {
    writeInto(this.#ids, Int32Array.from(ids));
    if (!this.model.constantState) {
      const logits = this.model.step(this.#ids, this.state);
      try {
        return await readFloats(logits);
      } finally {
        logits.dispose();
      }
    }
    if (this.#graph === undefined) {
      this.#prime();
      this.#graph = capture(() => this.model.step(this.#ids, this.state));
    } else {
      this.#graph.replay();
      this.state.position++;
    }
    return readFloats(this.#graph.result);
  }

  /** Tensors derived from weights must exist before the capture, or every replay would compute them again. */
  #prime(): void {
    const scratch = this.model.initialState(this.#ids.shape[0]!);
    this.model.step(this.#ids, scratch).dispose();
    scratch.dispose();
  }

  /** Kernel launches a token takes; 0 before the first. */
  get launches(): number {
    return this.#graph?.launches ?? 0;
  }

  dispose(): void {
    this.#graph?.dispose();
    this.#ids.dispose();
    this.state.dispose();
  }
}
