import { keep, Rng, tidy, type Tensor } from "@statespace/core";
import { isRecordingGradients, recompute } from "@statespace/core/backend";
import type { BlockOptions, ResidualBlock } from "../layers/block.ts";
import type { LayerState } from "../layers/mixer.ts";
import { settled } from "../layers/reservedState.ts";
import { backwardOrder } from "../layers/reversed.ts";
import { channelDropout } from "./dropout.ts";
import { countedTokens } from "./head.ts";
import type { ModelState } from "./state.ts";

/** What goes through all blocks of a model beside the tokens. */
export interface StackOptions {
  readonly initialState?: ModelState | undefined;
  readonly returnState?: boolean;
  /** int32 [b, l]: sequence boundaries inside packed rows; for heads that answer every token. */
  readonly seqIdx?: Tensor | undefined;
  /** Tokens of each row that count, [b]; the rest is padding at the end. */
  readonly lengths?: Int32Array | undefined;
  /** float32 [b, l], of a model of irregular sequences: time since the token before, 1 the usual and for the first. Absent: all are 1. */
  readonly gaps?: Tensor | undefined;
  /** Randomness of dropout; none without it. */
  readonly rng?: Rng | undefined;
  /** Under a tape, each block's intermediate values are computed again for its gradient in place of being kept. */
  readonly recompute?: boolean;
}

/** Tensors that a block takes beside its input. */
const BESIDE = ["encoded", "seqIdx", "padding", "gaps", "backwards"] as const;

/** Some of the blocks, and what went through those before them. */
interface Span {
  readonly x: Tensor;
  readonly from: number;
  readonly until?: number;
}

/** The blocks of a model, one after the other. */
export class BlockStack {
  readonly #blocks: readonly ResidualBlock[];
  readonly #dropout: number;

  /** @param dropout share of the channels that training leaves out behind each mixer */
  constructor(blocks: readonly ResidualBlock[], dropout: number) {
    this.#blocks = blocks;
    this.#dropout = dropout;
  }

  /** All blocks, or a span of them; `states` collects what the layers remember. */
  run(
    encoded: Tensor,
    { initialState, returnState = false, seqIdx, lengths, gaps, rng, recompute: again = false }: StackOptions,
    states: LayerState[],
    { x: start, from, until }: Span = { x: encoded, from: 0 },
  ): Tensor {
    const dropout = this.#drawnBy(rng);
    const [b, l] = encoded.shape as [number, number];
    const padding =
      lengths && this.#blocks.some(({ mixers }) => mixers.some(({ looksAhead }) => looksAhead))
        ? countedTokens(b, l, lengths, encoded.backend)
        : undefined;
    const backwards =
      lengths && this.#blocks.some(({ readsBackwards }) => readsBackwards)
        ? backwardOrder(b, l, lengths, encoded.backend)
        : undefined;
    let x = start;
    let at = this.#blocks.slice(0, from).reduce((count, { mixers }) => count + mixers.length, 0);
    for (const block of this.#blocks.slice(from, until)) {
      if (again && isRecordingGradients() && !returnState && initialState === undefined) {
        x = this.#recomputed(block, x, { encoded, seqIdx, padding, gaps, backwards }, rng);
        continue;
      }
      const before = initialState?.layers.slice(at, at + block.mixers.length);
      const initialStates = before?.map((layer) => settled(layer, initialState!.position));
      const result = block.forward(x, {
        encoded,
        initialStates,
        returnState,
        seqIdx,
        padding,
        gaps,
        backwards,
        dropout,
      });
      x = result.y;
      states.push(...(result.states ?? []));
      at += block.mixers.length;
    }
    return x;
  }

  /** As `run`, some blocks at a time; between two parts it yields what is there when the first is done. `encoded` is taken, and freed. */
  *inParts(
    encoded: Tensor,
    options: StackOptions,
    parts: number,
  ): Generator<Tensor, { x: Tensor; states: readonly LayerState[] }, undefined> {
    const states: LayerState[] = [];
    const size = Math.ceil(this.#blocks.length / parts);
    let [x, whole] = [encoded, false];
    try {
      for (let from = 0; from < this.#blocks.length; from += size) {
        if (from > 0) yield x;
        const { next, own } = tidy(() => {
          const made: LayerState[] = [];
          return { next: this.run(encoded, options, made, { x, from, until: from + size }), own: made };
        });
        if (x !== encoded) x.dispose();
        x = keep(next);
        for (const layer of own) for (const t of Object.values(layer)) keep(t);
        states.push(...own);
      }
      whole = true;
      return { x, states };
    } finally {
      if (x !== encoded) encoded.dispose();
      if (!whole) for (const layer of [{ x }, ...states]) for (const t of Object.values(layer)) t.dispose();
    }
  }

  #drawnBy(rng: Rng | undefined): ReturnType<typeof channelDropout> | undefined {
    return rng !== undefined && this.#dropout > 0 ? channelDropout(this.#dropout, rng) : undefined;
  }

  /** A block that keeps its inputs alone for its gradient; what dropout drew it draws again. */
  #recomputed(
    block: ResidualBlock,
    x: Tensor,
    beside: Readonly<Pick<BlockOptions, (typeof BESIDE)[number]>>,
    rng: Rng | undefined,
  ): Tensor {
    const names = BESIDE.filter((name) => beside[name] !== undefined);
    const drawn = rng?.state();
    let own = rng;
    const run = (input: Tensor, ...others: readonly Tensor[]): Tensor => {
      const dropout = this.#drawnBy(own);
      own = drawn && Rng.fromState(drawn);
      return block.forward(input, { ...Object.fromEntries(names.map((name, i) => [name, others[i]!])), dropout }).y;
    };
    return recompute(run as (...inputs: readonly Tensor[]) => Tensor, [x, ...names.map((name) => beside[name]!)]);
  }
}
