import { capture, keep, readFloats, tensor, writeInto, type Captured, type Tensor } from "@statespace/core";
import type { ModelState } from "../model/state.ts";
import type { Model } from "../model/model.ts";

/** Room that a growing state gets at least. */
const LEAST_ROOM = 64;

/** The room a state of `tokens` gets: doubled each time it is full, so that captures stay few. */
export function capacityFor(tokens: number): number {
  return LEAST_ROOM * 2 ** Math.max(0, Math.ceil(Math.log2(tokens / LEAST_ROOM)));
}

/**
 * Token-by-token decoding. A step is captured at first, and again when a growing state needs more room; each token is a replay:
 * write the ids, run the recorded launches, read the logits.
 *
 * The decoder owns `state` and changes it in place; `state.clone()` and `state.copyFrom()` fork and roll back.
 */
export class Decoder {
  readonly model: Model;
  readonly state: ModelState;
  readonly #ids: Tensor; // int32 [b]
  #graph: Captured<Tensor> | undefined;
  #layout = 0;
  #wiring = 0;

  /** @param state taken over: the decoder disposes it. */
  constructor(model: Model, state: ModelState, batch: number) {
    this.model = model;
    this.state = state;
    this.#ids = keep(tensor(new Int32Array(batch), [batch], { backend: model.backend }));
  }

  /** Feeds one token per sequence; logits [b * v] of the next. */
  async next(ids: ArrayLike<number>): Promise<Float32Array> {
    writeInto(this.#ids, Int32Array.from(ids));
    const { state, model } = this;
    const stale = state.layout !== this.#layout || model.wiring !== this.#wiring;
    if (this.#graph === undefined || stale || state.position >= state.capacity) {
      this.#graph?.dispose();
      this.#graph = undefined;
      model.reserve(state, this.#ids.shape[0]!, capacityFor(state.position + 1));
      this.#prime();
      const before = state.clone();
      this.#graph = capture(() => this.model.step(this.#ids, this.state));
      // A device may replay several ops as one, which rounds otherwise: so every token is a replay.
      state.copyFrom(before);
      before.dispose();
      this.#layout = state.layout;
      this.#wiring = model.wiring;
    }
    this.#graph.replay();
    this.state.position++;
    return readFloats(this.#graph.result);
  }

  /** Tensors derived from weights must exist before the capture, or every replay would compute them again. */
  #prime(): void {
    const batch = this.#ids.shape[0]!;
    const scratch = this.model.initialState(batch);
    this.model.reserve(scratch, batch, capacityFor(this.state.position + 1));
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
