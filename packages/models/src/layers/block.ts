import { add, mul, tidy, type Tensor } from "@statespace/core";
import type { LayerState, Mixer } from "./mixer.ts";
import { runReversed } from "./reversed.ts";
import type { Mlp } from "./mlp.ts";
import type { Norm } from "./norm.ts";
import { stepAfter } from "./stepAfter.ts";
import { times } from "./times.ts";

/**
 * A branch before a block's own mixers, with a mixer of its own: what it makes of the residual stream and of what the encoder gave is added to
 * what those take, not to the stream (Zamba's shared Transformer).
 */
export interface FirstBranch {
  readonly mixer: Mixer;
  /** @param run what the mixer makes of its input */
  apply(x: Tensor, encoded: Tensor, run: (input: Tensor) => Tensor): Tensor;
}

/** What a block is made of. */
export interface BlockParts {
  readonly norm: Norm;
  readonly first?: FirstBranch | undefined;
  /** One, or several side by side on the same normed input, whose outputs are added. */
  readonly mixers: readonly Mixer[];
  /** Which of them read from the last token to the first. */
  readonly reversed?: readonly boolean[];
  /** Factors on what each mixer takes and gives; 1 unless told. */
  readonly inputMultipliers?: readonly number[];
  readonly outputMultipliers?: readonly number[];
  readonly norm2?: Norm | undefined;
  readonly mlp?: Mlp | undefined;
  /** Factor on every branch; 1 unless told. */
  readonly residualMultiplier?: number;
  /** The norms stand before mixer and MLP, or after them; before unless told. */
  readonly normPlacement?: "before" | "after";
}

/** How a block runs a sequence. */
export interface BlockOptions {
  /** What the encoder gave, [b, l, dModel]; x unless told. */
  readonly encoded?: Tensor | undefined;
  /** A state for each mixer to start from; zero if absent. */
  readonly initialStates?: readonly LayerState[] | undefined;
  /** Also return the states after the last token. */
  readonly returnState?: boolean;
  /** float32 [b, l, 1]: 0 at the tokens behind a row's end. */
  readonly padding?: Tensor | undefined;
  /** int32 [b, l]: where it changes along l, another sequence starts. */
  readonly seqIdx?: Tensor | undefined;
  /** float32 [b, l]: time since the token before, for mixers that take it. */
  readonly gaps?: Tensor | undefined;
  /** int32 [b l]: each row's tokens from the last that counts to the first, where rows are of different lengths. */
  readonly backwards?: Tensor | undefined;
  /** Applied to what each branch adds to the residual stream: dropout, while training. */
  readonly dropout?: ((branch: Tensor) => Tensor) | undefined;
}

/** What a block returns for whole sequences. */
export interface BlockResult {
  readonly y: Tensor; // [b, l, dModel]
  /** With `returnState`: one a mixer. */
  readonly states?: readonly LayerState[];
}

/**
 * x + the mixers of norm(x), then, where there is an MLP, x + mlp(norm2(x)): what every stack here is made of.
 * With a first branch the mixers take norm(x + first(x, encoded)).
 * With its norms after, x + norm(mixers(x)) and x + norm2(mlp(x)).
 */
export class ResidualBlock {
  readonly norm: Norm;
  /** Those that have states: of the first branch, where there is one, and the block's own. */
  readonly mixers: readonly Mixer[];
  readonly norm2: Norm | undefined;
  readonly mlp: Mlp | undefined;
  readonly #parts: BlockParts;

  constructor(parts: BlockParts) {
    this.norm = parts.norm;
    this.mixers = parts.first === undefined ? parts.mixers : [parts.first.mixer, ...parts.mixers];
    this.norm2 = parts.norm2;
    this.mlp = parts.mlp;
    this.#parts = parts;
  }

  forward(x: Tensor, options: BlockOptions = {}): BlockResult {
    const { encoded = x, initialStates, returnState = false, padding, dropout } = options;
    const states: LayerState[] = [];
    // The tidy returns the states beside y, so that nothing else of the layer stays in memory.
    const [y] = tidy(() => {
      const run = (input: Tensor, mixer: Mixer, i: number): Tensor => {
        // What looks ahead is linear in its tokens: those that are 0 are as if they were not there.
        const own = padding !== undefined && mixer.looksAhead ? mul(input, padding) : input;
        const beside = { initialState: initialStates?.[i], returnState };
        const result = this.#isReversed(i)
          ? runReversed(mixer, own, options)
          : mixer.forward(own, { ...beside, seqIdx: options.seqIdx, gaps: mixer.takesGaps ? options.gaps : undefined });
        if (result.state) states.push(result.state);
        return result.y;
      };
      return [this.#through(x, encoded, run, dropout), ...states.flatMap((state) => Object.values(state))];
    }) as [Tensor, ...Tensor[]];
    return returnState ? { y, states } : { y };
  }

  /** One token; the states are changed in place. @param gaps [b]: time since the token before, 1 the usual, for mixers that take it */
  step(x: Tensor, states: readonly LayerState[], encoded: Tensor = x, gaps?: Tensor): Tensor {
    const run = (input: Tensor, mixer: Mixer, i: number): Tensor =>
      gaps !== undefined && mixer.takesGaps ? stepAfter(mixer, input, states[i]!, gaps) : mixer.step(input, states[i]!);
    return tidy(() => this.#through(x, encoded, run));
  }

  /** A mixer of its own reads backwards. */
  get readsBackwards(): boolean {
    return this.#parts.reversed?.includes(true) ?? false;
  }

  /** @param i among `mixers` */
  #isReversed(i: number): boolean {
    return this.#parts.reversed?.[i - (this.#parts.first === undefined ? 0 : 1)] ?? false;
  }

  /** What each of its mixers takes of x. */
  inputs(x: Tensor, encoded: Tensor = x): readonly Tensor[] {
    const taken: Tensor[] = [];
    const lifted = this.#lifted(x, encoded, (input, mixer) => {
      taken.push(input);
      return mixer.forward(input).y;
    });
    const input = this.mixerInput(lifted);
    return [...taken, ...this.#parts.mixers.map((_, i) => this.#scaledInput(input, i))];
  }

  /** What the block's own mixers take of x, each before its own factor. */
  mixerInput(x: Tensor): Tensor {
    return this.#after ? x : this.norm.apply(x);
  }

  /** What own mixer number `i` takes of their common input. */
  #scaledInput(input: Tensor, i: number): Tensor {
    return times(input, this.#parts.inputMultipliers?.[i] ?? 1);
  }

  get #after(): boolean {
    return this.#parts.normPlacement === "after";
  }

  /** x, and what the first branch makes of it. */
  #lifted(x: Tensor, encoded: Tensor, run: (input: Tensor, mixer: Mixer, i: number) => Tensor): Tensor {
    const { first } = this.#parts;
    return first === undefined
      ? x
      : add(
          x,
          first.apply(x, encoded, (input) => run(input, first.mixer, 0)),
        );
  }

  #through(
    x: Tensor,
    encoded: Tensor,
    run: (input: Tensor, mixer: Mixer, i: number) => Tensor,
    dropout: (branch: Tensor) => Tensor = (branch) => branch,
  ): Tensor {
    const { first, mixers, outputMultipliers, residualMultiplier = 1 } = this.#parts;
    const own = first === undefined ? 0 : 1;
    const branch = (y: Tensor, norm: Norm): Tensor =>
      dropout(times(this.#after ? norm.apply(y) : y, residualMultiplier));
    const input = this.mixerInput(this.#lifted(x, encoded, run));
    const mixed = mixers
      .map((mixer, i) => times(run(this.#scaledInput(input, i), mixer, own + i), outputMultipliers?.[i] ?? 1))
      .reduce((sum, y) => add(sum, y));
    const middle = add(x, branch(mixed, this.norm));
    if (this.mlp === undefined || this.norm2 === undefined) return middle;
    return add(middle, branch(this.mlp.apply(this.#after ? middle : this.norm2.apply(middle)), this.norm2));
  }
}
