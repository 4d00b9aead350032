import {
  add,
  ArgumentError,
  copy,
  div,
  embedding,
  linear,
  mul,
  readFloats,
  Rng,
  setBackend,
  ShapeError,
  tensor,
  tidy,
  zeros,
  type AnyBackend,
  type Parameter,
  type PlaceOptions,
  type Tensor,
} from "@statespace/core";
import { ModelState } from "../language/modelState.ts";
import { GatedMlp } from "../layers/gatedMlp.ts";
import { kaimingUniform, normal } from "../layers/initializers.ts";
import type { LayerState } from "../layers/mixer.ts";
import { Norm } from "../layers/norm.ts";
import { ParameterBuilder } from "../layers/parameterBuilder.ts";
import { ResidualBlock } from "../layers/residualBlock.ts";
import { resolveSequenceConfig, type ResolvedSequence, type SequenceConfig } from "./config.ts";
import { channelDropout } from "./dropout.ts";
import { checkLengths, Head, lastToken, poolingOf, sumOfTokens, type Pooling } from "./head.ts";

/** Options of `SequenceModel.forward`. */
export interface SequenceForwardOptions {
  readonly initialState?: ModelState | undefined;
  readonly returnState?: boolean;
  /** int32 [b, l]: sequence boundaries inside packed rows; for heads that answer every token. */
  readonly seqIdx?: Tensor | undefined;
  /** Tokens of each row that count, [b]; the rest is padding at the end. */
  readonly lengths?: Int32Array | undefined;
  /** Randomness of dropout; none without it. */
  readonly rng?: Rng | undefined;
}

/** What `SequenceModel.forward` returns. */
export interface SequenceForwardResult {
  /** What the head answers; see `HeadConfig`. */
  readonly output: Tensor;
  /** With `returnState`; the caller disposes it. */
  readonly state?: ModelState;
}

/**
 * A sequence model made of any of the mixers: encoder, residual blocks, final norm, pooling, head; described by plain JSON.
 * The state is that of a language model, one entry a layer; a head over the mean of all tokens adds one for their running sum.
 */
export class SequenceModel {
  readonly config: SequenceConfig;
  readonly parameters: readonly Parameter[];
  readonly blocks: readonly ResidualBlock[];
  readonly encoder: Parameter; // [v, dModel], or [dModel, channels]
  readonly encoderBias: Parameter | undefined; // [dModel]
  readonly normF: Norm;
  readonly head: Head;
  readonly #resolved: ResolvedSequence;
  readonly #pooling: Pooling;

  /**
   * @param init a generator (or seed) draws the papers' initial weights; `"empty"` leaves zeros for a loader to fill.
   * @param options.backend where the model lives and computes; by default the backend that is set.
   * @throws FormatError naming the key of the config that is wrong.
   */
  constructor(config: SequenceConfig, init: Rng | number | "empty" = 0, { backend }: PlaceOptions = {}) {
    const resolved = resolveSequenceConfig(config);
    const { dModel, encoder, norm, normEps, layers } = resolved;
    const rng = init === "empty" ? undefined : typeof init === "number" ? new Rng(init) : init;
    const build = new ParameterBuilder(rng, layers.length * (resolved.mlp > 0 ? 2 : 1), backend);
    this.config = config;
    this.#resolved = resolved;
    this.#pooling = poolingOf(resolved.head);
    const embeds = encoder.kind === "embedding";
    this.encoder = embeds
      ? build.make("encoder.weight", [encoder.vocabSize, dModel], normal(0.02))
      : build.make("encoder.weight", [dModel, encoder.channels], kaimingUniform(encoder.channels));
    // Not zeros: where the input is zero too, so is the whole stream, and each norm would scale gradients by 1/sqrt(eps).
    this.encoderBias = embeds
      ? undefined
      : build.make("encoder.bias", [dModel], kaimingUniform(encoder.channels), { decay: false });
    this.blocks = layers.map((_, i) => makeBlock(resolved, i, build.within(`layers.${i}`)));
    this.normF = new Norm(norm, dModel, normEps, build.within("norm_f"));
    this.head = new Head(resolved.head, dModel, embeds ? this.encoder : undefined, build.within("head"));
    this.parameters = build.parameters;
  }

  /** Number of weights, a tied head counted once. */
  get size(): number {
    return this.parameters.reduce((total, { size }) => total + size, 0);
  }

  /** True when every layer's state keeps its size. */
  get constantState(): boolean {
    return this.blocks.every(({ mixer }) => mixer.constantState);
  }

  /** Where its weights are, and where it computes. */
  get backend(): AnyBackend {
    return this.parameters[0]!.backend;
  }

  /** A parameter by its name. @throws ArgumentError when there is none. */
  parameter(name: string): Parameter {
    const found = this.parameters.find((p) => p.name === name);
    if (found === undefined) throw new ArgumentError(`the model has no parameter ${name}`);
    return found;
  }

  /** The state before the first token. @throws ArgumentError where a layer looks ahead. */
  initialState(batch = 1): ModelState {
    return tidy(() => {
      const layers = this.blocks.map(({ mixer }) => mixer.initialState(batch));
      return new ModelState(
        this.#pooling === "mean"
          ? [...layers, { sum: zeros([batch, this.#resolved.dModel], { backend: this.backend }) }]
          : layers,
      );
    });
  }

  /**
   * The head's answer to whole sequences.
   * @param inputs int32 [b, l], or float32 [b, l, channels] for a linear encoder
   */
  forward(inputs: Tensor, options: SequenceForwardOptions = {}): SequenceForwardResult {
    const { initialState, returnState = false, lengths, seqIdx } = options;
    const [b, l] = inputs.shape as [number, number];
    if (lengths !== undefined) checkLengths(lengths, b, l);
    if (lengths !== undefined && (returnState || initialState))
      throw new ArgumentError("forward: rows of different lengths have no common state; run them one by one");
    if (seqIdx !== undefined && this.#pooling !== "none")
      throw new ArgumentError("forward: packed rows (seqIdx) need a head that answers every token");
    const position = initialState?.position ?? 0;
    const states: LayerState[] = [];
    const out = tidy(() => {
      const x = this.normF.apply(this.#blocks(this.#encode(inputs, 3), options, states));
      const before = this.#pooling === "mean" ? initialState?.layers.at(-1)!["sum"] : undefined;
      const { pooled, sum } = this.#pool(x, lengths, before, position);
      if (sum && returnState) states.push({ sum });
      return [this.head.apply(pooled), ...states.flatMap((state) => Object.values(state))];
    });
    return returnState ? { output: out[0]!, state: new ModelState(states, position + l) } : { output: out[0]! };
  }

  /**
   * The head's answer after one more token of each sequence; the state is changed in place.
   * @param inputs int32 [b], or float32 [b, channels]
   */
  step(inputs: Tensor, state: ModelState): Tensor {
    const output = tidy(() => {
      let x = this.#encode(inputs, 2); // [b, dModel]
      this.blocks.forEach((block, i) => (x = block.step(x, state.layers[i]!)));
      x = this.normF.apply(x);
      if (this.#pooling !== "mean") return this.head.apply(x);
      const held = state.layers.at(-1)!["sum"]!;
      const sum = add(held, x);
      copy({ destination: held, source: sum });
      return this.head.apply(div(sum, state.position + 1));
    });
    state.position++;
    return output;
  }

  #encode(inputs: Tensor, rank: number): Tensor {
    const { encoder } = this.#resolved;
    if (encoder.kind === "embedding") return embedding({ ids: inputs, weight: this.encoder.value }).y;
    if (inputs.shape.length !== rank)
      throw new ShapeError(
        `encoder: inputs must be [${rank === 3 ? "b, l" : "b"}, channels = ${encoder.channels}], got [${inputs.shape.join(", ")}]`,
      );
    return linear({ x: inputs, weight: this.encoder.value, bias: this.encoderBias!.value }).y;
  }

  /** Runs the stack; `states` collects what the layers remember. */
  #blocks(
    encoded: Tensor,
    { initialState, returnState = false, seqIdx, rng }: SequenceForwardOptions,
    states: LayerState[],
  ): Tensor {
    const { dropout: share } = this.#resolved;
    const dropout = rng !== undefined && share > 0 ? channelDropout(share, rng) : undefined;
    let x = encoded;
    this.blocks.forEach((block, i) => {
      const result = block.forward(x, { initialState: initialState?.layers[i], returnState, seqIdx, dropout });
      x = result.y;
      if (result.state) states.push(result.state);
    });
    return x;
  }

  #pool(
    x: Tensor,
    lengths: Int32Array | undefined,
    before: Tensor | undefined,
    position: number,
  ): { pooled: Tensor; sum?: Tensor } {
    if (this.#pooling === "none") return { pooled: x };
    if (this.#pooling === "last") return { pooled: lastToken(x, lengths) };
    const own = sumOfTokens(x, lengths);
    const sum = before ? add(before, own) : own;
    if (lengths === undefined) return { pooled: div(sum, position + x.shape[1]!), sum };
    return {
      pooled: mul(
        sum,
        tensor(
          Float32Array.from(lengths, (length) => 1 / length),
          [lengths.length, 1],
          { backend: x.backend },
        ),
      ),
      sum,
    };
  }

  /** Moves weights to another backend and sets it. States move by `toBytes` / `fromBytes`. Nothing changes if it cannot start. */
  async to(backend: string): Promise<this> {
    const values: Float32Array[] = [];
    for (const parameter of this.parameters) values.push(await parameter.read());
    await setBackend(backend);
    this.#disposeDerived();
    this.parameters.forEach((parameter, i) => parameter.replace(tensor(values[i]!, parameter.shape, { backend })));
    return this;
  }

  /** Weights by name, read back. */
  async weights(): Promise<Map<string, { shape: readonly number[]; values: Float32Array }>> {
    const out = new Map<string, { shape: readonly number[]; values: Float32Array }>();
    for (const { name, shape, value } of this.parameters) out.set(name, { shape, values: await readFloats(value) });
    return out;
  }

  #disposeDerived(): void {
    for (const { mixer } of this.blocks) mixer.dispose?.();
  }

  dispose(): void {
    this.#disposeDerived();
    for (const parameter of this.parameters) parameter.dispose();
  }
}

function makeBlock(
  { layers, dModel, norm, normEps, mlp }: ResolvedSequence,
  layer: number,
  build: ParameterBuilder,
): ResidualBlock {
  const first = new Norm(norm, dModel, normEps, build.within("norm"));
  const mixer = layers[layer]!.make(build.within("mixer"));
  if (mlp === 0) return new ResidualBlock(first, mixer);
  return new ResidualBlock(
    first,
    mixer,
    new Norm(norm, dModel, normEps, build.within("norm2")),
    new GatedMlp(dModel, mlp, build.within("mlp")),
  );
}
