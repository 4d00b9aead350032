import {
  ArgumentError,
  embedding,
  linear,
  meanCrossEntropy,
  packWeight,
  readFloats,
  reshape,
  Rng,
  setBackend,
  sliceAxis,
  tensor,
  tidy,
  type AnyBackend,
  type PackedFormat,
  type PlaceOptions,
  type Parameter,
  type Tensor,
} from "@statespace/core";
import { HEAD_KEY } from "../checkpoint/index.ts";
import { GatedMlp } from "../layers/gatedMlp.ts";
import { kaimingUniform, normal } from "../layers/initializers.ts";
import type { LayerState } from "../layers/mixer.ts";
import { Norm } from "../layers/norm.ts";
import { ParameterBuilder } from "../layers/parameterBuilder.ts";
import { settled } from "../layers/reservedState.ts";
import { ResidualBlock } from "../layers/residualBlock.ts";
import type { LanguageConfig } from "./hybridConfig.ts";
import { makeMixer, residualAdditions } from "./makeMixer.ts";
import { ModelState } from "./modelState.ts";

/** Options of `LanguageModel.forward`. */
export interface LanguageForwardOptions {
  readonly initialState?: ModelState | undefined;
  readonly returnState?: boolean;
  /** int32 [b, l]: sequence boundaries inside packed rows. */
  readonly seqIdx?: Tensor | undefined;
  /** Logits of the last position only: [b, v]. */
  readonly lastOnly?: boolean;
}

/** What `LanguageModel.forward` returns. */
export interface LanguageForwardResult {
  readonly logits: Tensor; // [b, l, v], or [b, v] with lastOnly
  /** With `returnState`; the caller disposes it. */
  readonly state?: ModelState;
}

/** The target of positions that have none; see `crossEntropy`. */
export const NO_TARGET = -100;

/**
 * A language model: embedding, a stack of residual blocks, a final norm, and a head that may share the embedding.
 * One definition serves training (`loss`), prefill (`forward` with a state) and decoding (`step`).
 * Parameters carry the names of the published checkpoints.
 */
export class LanguageModel {
  readonly config: LanguageConfig;
  readonly parameters: readonly Parameter[];
  readonly blocks: readonly ResidualBlock[];
  readonly embedding: Parameter; // [v, dModel]
  readonly normF: Norm;
  readonly head: Parameter; // [v, dModel], the embedding itself if tied

  /**
   * @param init a generator (or seed) draws the papers' initial weights; `"empty"` leaves zeros for a loader to fill.
   * @param options.backend where the model lives and computes; by default the backend that is set.
   */
  constructor(config: LanguageConfig, init: Rng | number | "empty" = 0, { backend }: PlaceOptions = {}) {
    this.config = config;
    const rng = init === "empty" ? undefined : typeof init === "number" ? new Rng(init) : init;
    const build = new ParameterBuilder(rng, residualAdditions(config), backend);
    const { dModel, vocabSize, nLayer } = config;
    const backbone = build.within("backbone");
    this.embedding = backbone.make("embeddings.weight", [vocabSize, dModel], normal(config.initializerRange));
    this.blocks = Array.from({ length: nLayer }, (_, i) => makeBlock(config, i, backbone.within(`layers.${i}`)));
    this.normF = new Norm(config.norm, dModel, config.normEps, backbone.within("norm_f"));
    this.head = config.tieEmbeddings
      ? this.embedding
      : build.make(HEAD_KEY, [vocabSize, dModel], kaimingUniform(dModel));
    this.parameters = build.parameters;
  }

  /** Number of weights, a tied head counted once. */
  get size(): number {
    return this.parameters.reduce((total, { size }) => total + size, 0);
  }

  /** True when every layer's state keeps its size: the step can be captured. */
  get constantState(): boolean {
    return this.blocks.every(({ mixer }) => mixer.constantState);
  }

  /** Where its weights are, and where it computes. */
  get backend(): AnyBackend {
    return this.embedding.backend;
  }

  /** A parameter by its checkpoint name. @throws ArgumentError when there is none. */
  parameter(name: string): Parameter {
    const found = this.parameters.find((p) => p.name === name);
    if (found === undefined) throw new ArgumentError(`the model has no parameter ${name}`);
    return found;
  }

  /** The state before the first token. */
  initialState(batch = 1): ModelState {
    return new ModelState(this.blocks.map(({ mixer }) => mixer.initialState(batch)));
  }

  /** Gives a state room for `capacity` tokens in all, where it grows, so that steps can be captured until the room is full. */
  reserve(state: ModelState, batch: number, capacity: number): void {
    if (state.capacity >= capacity && state.capacity !== Number.POSITIVE_INFINITY) return;
    const tokens = state.position;
    this.blocks.forEach(({ mixer }, i) => {
      if (mixer.reserve === undefined) return;
      mixer.reserve(state.layers[i]!, { batch, capacity, tokens });
      state.layout++;
    });
  }

  /**
   * Logits of whole sequences.
   * @param ids int32 [b, l]
   */
  forward(ids: Tensor, options: LanguageForwardOptions = {}): LanguageForwardResult {
    const { initialState, returnState = false, seqIdx, lastOnly = false } = options;
    const states: LayerState[] = [];
    const out = tidy(() => {
      let x = embedding({ ids, weight: this.embedding.value }).y; // [b, l, dModel]
      this.blocks.forEach((block, i) => {
        const before = initialState && settled(initialState.layers[i]!, initialState.position);
        const result = block.forward(x, { initialState: before, returnState, seqIdx });
        x = result.y;
        if (result.state) states.push(result.state);
      });
      const [b, l] = ids.shape as [number, number];
      const last = lastOnly ? reshape(sliceAxis(x, 1, l - 1, 1), [b, this.config.dModel]) : x;
      const logits = linear({ x: this.normF.apply(last), weight: this.head.value }).y;
      return [logits, ...states.flatMap((state) => Object.values(state))];
    });
    const logits = out[0]!;
    if (!returnState) return { logits };
    return { logits, state: new ModelState(states, (initialState?.position ?? 0) + ids.shape[1]!) };
  }

  /**
   * Logits after one more token per sequence; the state is changed in place.
   * @param ids int32 [b]
   */
  step(ids: Tensor, state: ModelState): Tensor {
    const logits = tidy(() => {
      let x = embedding({ ids, weight: this.embedding.value }).y; // [b, dModel]
      this.blocks.forEach((block, i) => (x = block.step(x, state.layers[i]!)));
      return linear({ x: this.normF.apply(x), weight: this.head.value }).y; // [b, v]
    });
    state.position++;
    return logits;
  }

  /**
   * Mean cross entropy in nats of predicting `targets` from `ids`.
   * @param ids int32 [b, l]
   * @param targets int32 [b, l]: `targets[i]` is what follows `ids[i]`; `NO_TARGET` is passed over (see `nextTokenTargets`).
   */
  loss(ids: Tensor, targets: Tensor, options: Pick<LanguageForwardOptions, "seqIdx" | "initialState"> = {}): Tensor {
    return tidy(() => meanCrossEntropy(this.forward(ids, options).logits, targets, NO_TARGET));
  }

  /** Moves weights to another backend and sets it. States move by `toBytes` / `fromBytes`. Nothing changes if it cannot start. */
  async to(backend: string): Promise<this> {
    const values: Float32Array[] = [];
    const formats = this.#formats;
    for (const parameter of this.parameters) values.push(await parameter.read());
    await setBackend(backend);
    this.#disposeDerived();
    this.parameters.forEach((parameter, i) => {
      const format = formats.get(parameter.name);
      parameter.replace(
        format === undefined
          ? tensor(values[i]!, parameter.shape, { backend })
          : packWeight(values[i]!, parameter.shape, format, { backend }),
      );
    });
    return this;
  }

  readonly #formats = new Map<string, PackedFormat>();

  /**
   * Packs the matrices of the linear layers and the embedding; computation stays float32. For inference: packed weights cannot be trained.
   * Weights whose last axis does not divide into blocks stay as they are.
   */
  async quantize(format: PackedFormat): Promise<this> {
    for (const parameter of this.parameters) {
      const packable =
        parameter.shape.length === 2 &&
        !/A_log$/.test(parameter.name) &&
        (format === "f16" || format === "bf16" || parameter.shape[1]! % 32 === 0);
      if (!packable) continue;
      const { backend } = parameter;
      parameter.replace(packWeight(await parameter.read(), parameter.shape, format, { backend }));
      parameter.trainable = false;
      this.#formats.set(parameter.name, format);
    }
    return this;
  }

  /** Weights by checkpoint name, read back. */
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

function makeBlock(config: LanguageConfig, layer: number, build: ParameterBuilder): ResidualBlock {
  const { norm, dModel, normEps, dIntermediate } = config;
  const first = new Norm(norm, dModel, normEps, build.within("norm"));
  const mixer = makeMixer(config, layer, build.within("mixer"));
  if (dIntermediate === 0) return new ResidualBlock(first, mixer);
  return new ResidualBlock(
    first,
    mixer,
    new Norm(norm, dModel, normEps, build.within("norm2")),
    new GatedMlp(dModel, dIntermediate, build.within("mlp")),
  );
}

/** Targets of next-token prediction: every row shifted left by one, the last position without a target. */
export function nextTokenTargets(ids: Int32Array, length: number): Int32Array {
  const targets = new Int32Array(ids.length);
  for (let i = 0; i < ids.length; i++) targets[i] = (i + 1) % length === 0 ? NO_TARGET : ids[i + 1]!;
  return targets;
}
