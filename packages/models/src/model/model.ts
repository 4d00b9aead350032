import {
  add,
  ArgumentError,
  div,
  FormatError,
  keep,
  meanCrossEntropy,
  mul,
  Rng,
  setBackend,
  ShapeError,
  tensor,
  tidy,
  zeros,
  type PlaceOptions,
  type Tensor,
} from "@statespace/core";
import { refuseUnknown, startBackend, type AnyBackend } from "@statespace/core/backend";
import { copy } from "@statespace/core/ops";
import { readCacheType, type CacheType } from "../layers/cacheType.ts";
import { ResidualBlock } from "../layers/block.ts";
import type { LayerState, Mixer } from "../layers/mixer.ts";
import { makeMlp } from "../layers/moe.ts";
import { Norm } from "../layers/norm.ts";
import { ParameterBuilder } from "../layers/parameterBuilder.ts";
import { backwardOrder } from "../layers/reversed.ts";
import { atLayer, resolveModelConfig, type ModelConfig, type ResolvedModel } from "./config.ts";
import { Encoder } from "./encoder.ts";
import { makeSharedBranch } from "./sharedBranch.ts";
import { checkLengths, Head, lastToken, poolingOf, sumOfTokens, type Pooling } from "./head.ts";
import { BlockStack, type StackOptions } from "./stack.ts";
import { ModelState } from "./state.ts";
import { NO_TARGET } from "./targets.ts";
import { Strands } from "./strands.ts";
import { inUnits, Units, type Scale } from "./units.ts";
import { ModelWeights } from "./weights.ts";

/** Options of `Model.forward`. */
export interface ModelForwardOptions extends StackOptions {
  /** The answer of the last token only, of a head that answers every token: [b, v] of a language model. */
  readonly lastOnly?: boolean;
  /** Gives what the head takes, in place of its answer: the normed residual stream [b, l, dModel] of a head that answers every token. */
  readonly beforeHead?: boolean;
  /** Gives answers in the units that the layers see, and the data's beside them (see `Normalize`): what a loss compares. */
  readonly normalized?: boolean;
}

const FORWARD_OPTIONS: Readonly<Record<keyof ModelForwardOptions, true>> = {
  initialState: true,
  returnState: true,
  seqIdx: true,
  lengths: true,
  gaps: true,
  lastOnly: true,
  rng: true,
  beforeHead: true,
  normalized: true,
  recompute: true,
};
const FORWARD_NAMES = {
  cacheParams: "initialState",
  pastKeyValues: "initialState",
  useCache: "returnState",
  state: "initialState",
};

/** What `Model.forward` returns. */
export interface ModelForwardResult {
  /** What the head answers (see `HeadConfig`): logits [b, l, v] of a language model. */
  readonly output: Tensor;
  /** With `returnState`; the caller disposes it. */
  readonly state?: ModelState;
  /** With `normalized`, of a model whose answers have units. */
  readonly scale?: Scale;
}

/**
 * A model made of any of the mixers: encoder, blocks, final norm, head; described by plain JSON. Language models and models that
 * classify, regress or forecast differ in encoder and head alone.
 * One definition serves training (`loss`, `modelObjective`), prefill (`forward` with a state) and decoding (`step`).
 */
export class Model extends ModelWeights {
  readonly config: ModelConfig;
  /** The config with every default filled in. */
  readonly resolved: ResolvedModel;
  readonly encoder: Encoder;
  readonly blocks: readonly ResidualBlock[];
  /** Those of all blocks, in order: a state has an entry for each. */
  readonly mixers: readonly Mixer[];
  readonly normF: Norm;
  readonly head: Head;
  readonly units: Units;
  #cacheType: CacheType = "f32";
  readonly #stack: BlockStack;
  readonly #strands: Strands | undefined;
  readonly #pooling: Pooling;

  /**
   * @param init a generator (or seed) draws the papers' initial weights; `"empty"` leaves them for a loader, which takes no memory.
   * @param options.backend where the model lives and computes; by default the backend that is set.
   * @throws FormatError naming the key of the config that is wrong.
   */
  constructor(config: ModelConfig, init: Rng | number | "empty" = 0, options: PlaceOptions = {}) {
    refuseUnknown("Model", options, ["backend"], { device: "backend" });
    const resolved = resolveModelConfig(config);
    const { dModel, encoder, layers } = resolved;
    const rng = init === "empty" ? undefined : typeof init === "number" ? new Rng(init) : init;
    const additions = layers.reduce((total, { mlp }) => total + (mlp === undefined ? 1 : 2), 0);
    const build = new ParameterBuilder(rng, resolved.rescalePrenormResidual ? additions : 0, options.backend);
    super(build);
    this.config = config;
    this.resolved = resolved;
    this.#pooling = poolingOf(resolved.head);
    const parts = build.whole(() => {
      const first = new Encoder(encoder, dModel, resolved.initializerRange, build.within("encoder"));
      const blocks = layers.map((_, i) => atLayer(i, () => makeBlock(resolved, i, build)));
      const normF = new Norm(resolved, dModel, build.within("norm_f"));
      const table = encoder.kind === "embedding" ? first.weight : undefined;
      const head = new Head(resolved.head, dModel, table, build);
      return {
        encoder: first,
        blocks,
        normF,
        head,
        units: new Units(resolved, build),
      };
    });
    this.encoder = parts.encoder;
    this.blocks = parts.blocks;
    this.mixers = parts.blocks.flatMap(({ mixers }) => mixers);
    this.#stack = new BlockStack(parts.blocks, resolved.dropout);
    this.normF = parts.normF;
    this.head = parts.head;
    this.units = parts.units;
    this.#strands = encoder.kind === "embedding" && encoder.complement ? new Strands(encoder.complement) : undefined;
    if (resolved.irregular) checkGaps(this.blocks);
  }

  /** True when every layer's state keeps its size: the step can be captured. */
  get constantState(): boolean {
    return this.mixers.every((mixer) => mixer.constantState);
  }

  /** Where its weights are, and where it computes. */
  get backend(): AnyBackend {
    return this.encoder.weight.backend;
  }

  /**
   * How attention keeps keys and values: "f32" unless told, or "f16", rounded to the nearest halves in half the memory. It is for states that are
   * made from now on; those that are there go on as they are. Layers without keys keep their states in float32 either way.
   */
  get cacheType(): CacheType {
    return this.#cacheType;
  }

  /** @throws ArgumentError for a type that is none, and for halves where an attention head has an odd number of channels. */
  set cacheType(type: CacheType) {
    const read = readCacheType("Model", type);
    const keeping = this.mixers.filter((mixer) => mixer.cacheType !== undefined);
    try {
      for (const mixer of keeping) mixer.cacheType = read;
    } catch (error) {
      for (const mixer of keeping) mixer.cacheType = this.#cacheType;
      throw error;
    }
    this.#cacheType = read;
  }

  /** Rows of the embedding. @throws ArgumentError for a model of vectors. */
  get vocabSize(): number {
    const { encoder } = this.resolved;
    if (encoder.kind !== "embedding") throw new ArgumentError("the model takes vectors, and has no vocabulary");
    return encoder.vocabSize;
  }

  /** The state before the first token. @throws ArgumentError where a layer looks ahead. */
  initialState(batch = 1): ModelState {
    return tidy(() => {
      const layers = this.mixers.map((mixer) => mixer.initialState(batch));
      const sum =
        this.#pooling === "mean" ? [{ sum: zeros([batch, this.resolved.dModel], { backend: this.backend }) }] : [];
      return new ModelState([...layers, ...sum]);
    });
  }

  /** Gives a state room for `capacity` tokens in all, where it grows, so that steps can be captured until the room is full. */
  reserve(state: ModelState, batch: number, capacity: number): void {
    if (state.capacity >= capacity && state.capacity !== Number.POSITIVE_INFINITY) return;
    const tokens = state.position;
    this.mixers.forEach((mixer, i) => {
      if (mixer.reserve === undefined) return;
      mixer.reserve(state.layers[i]!, { batch, capacity, tokens });
      state.layout++;
    });
  }

  /**
   * The head's answer to whole sequences.
   * @param inputs int32 [b, l], or float32 [b, l, channels] for a linear encoder
   */
  forward(inputs: Tensor, options: ModelForwardOptions = {}): ModelForwardResult {
    refuseUnknown("forward", options, Object.keys(FORWARD_OPTIONS), FORWARD_NAMES);
    const { initialState, returnState = false, lengths } = options;
    const [b, l] = inputs.shape as [number, number];
    this.#checkForward(b, l, options);
    const position = initialState?.position ?? 0;
    const states: LayerState[] = [];
    const out = tidy(() => {
      const strands = this.#strands;
      const backwards = lengths && this.#readsBackwards ? backwardOrder(b, l, lengths, inputs.backend) : undefined;
      const { x: seen, scale } = this.units.take(strands?.both(inputs, backwards) ?? inputs, lengths);
      const own = strands && lengths ? { ...options, lengths: Int32Array.from([...lengths, ...lengths]) } : options;
      const x = this.#stack.run(this.encoder.apply(seen, 3), own, states);
      const before = this.#pooling === "mean" ? initialState?.layers.at(-1)!["sum"] : undefined;
      const { pooled, sum } = this.#pool(x, own, before, position);
      if (sum && returnState) states.push({ sum });
      const first = options.beforeHead ? pooled : this.head.apply(pooled);
      const ofIds = this.resolved.head.kind === "language" && !options.beforeHead;
      const answer = strands?.mean(first, { perToken: this.#pooling === "none", ofIds }, backwards) ?? first;
      const output = options.normalized ? answer : inUnits(answer, scale);
      const beside = options.normalized && scale ? { scale } : {};
      return { output, ...beside, states: states.flatMap((state) => Object.values(state)) };
    });
    const { output, scale } = out;
    return {
      output,
      ...(returnState && { state: new ModelState(states, position + l) }),
      ...(scale && { scale }),
    };
  }

  /**
   * As `forward` of a language model from a state to the last token's answer and the state behind it, with rests: it yields between parts of
   * the layers, so that something else may run there. What is yielded is there when the part is done. Leaving early frees what was made.
   * @throws ArgumentError unless it is a language model and `parts` a whole number >= 1
   */
  *forwardInParts(
    inputs: Tensor,
    initialState: ModelState | undefined,
    parts: number,
  ): Generator<Tensor, { output: Tensor; state: ModelState }, undefined> {
    if (this.resolved.head.kind !== "language")
      throw new ArgumentError("forwardInParts is for language models; others answer in units of their own");
    if (!Number.isSafeInteger(parts) || parts < 1)
      throw new ArgumentError(`forwardInParts: parts must be a whole number >= 1, got ${parts}`);
    const options = { initialState, returnState: true, lastOnly: true };
    const [b, l] = inputs.shape as [number, number];
    this.#checkForward(b, l, options);
    const encoded = keep(tidy(() => this.encoder.apply(inputs, 3)));
    const { x, states } = yield* this.#stack.inParts(encoded, options, parts);
    const state = new ModelState(states, (initialState?.position ?? 0) + l);
    try {
      return { output: tidy(() => this.head.apply(this.normF.apply(lastToken(x, undefined)))), state };
    } catch (error) {
      state.dispose();
      throw error;
    } finally {
      x.dispose();
    }
  }

  /**
   * The head's answer after one more token of each sequence; the state is changed in place.
   * @param inputs int32 [b], or float32 [b, channels]
   * @param options `gaps` float32 [b], of a model of irregular sequences: time since the token before, 1 the usual and unless told
   */
  step(inputs: Tensor, state: ModelState, options: { readonly gaps?: Tensor | undefined } = {}): Tensor {
    refuseUnknown("step", options, ["gaps"], { gap: "gaps" });
    const { gaps } = options;
    const output = tidy(() => {
      this.#expectKnownUnits("step");
      if (gaps !== undefined) this.#checkGaps("step", "[b]", gaps, [inputs.shape[0]!]);
      const { x: seen, scale } = this.units.take(inputs);
      const encoded = this.encoder.apply(seen, 2); // [b, dModel]
      let x = encoded;
      let at = 0;
      for (const block of this.blocks) {
        x = block.step(x, state.layers.slice(at, at + block.mixers.length), encoded, gaps);
        at += block.mixers.length;
      }
      x = this.normF.apply(x);
      if (this.#pooling !== "mean") return inUnits(this.head.apply(x), scale);
      const held = state.layers.at(-1)!["sum"]!;
      const sum = add(held, x);
      copy({ destination: held, source: sum });
      return inUnits(this.head.apply(div(sum, state.position + 1)), scale);
    });
    state.position++;
    return output;
  }

  /**
   * Mean cross entropy in nats of predicting `targets` from `ids`, of a language model.
   * @param ids int32 [b, l]
   * @param targets int32 [b, l]: `targets[i]` is what follows `ids[i]`; `NO_TARGET` is passed over (see `nextTokenTargets`).
   */
  loss(ids: Tensor, targets: Tensor, options: Pick<ModelForwardOptions, "seqIdx" | "initialState"> = {}): Tensor {
    refuseUnknown("loss", options, ["seqIdx", "initialState"]);
    return tidy(() => meanCrossEntropy(this.forward(ids, options).output, targets, NO_TARGET));
  }

  /** Something of it reads rows from their ends. */
  get #readsBackwards(): boolean {
    return this.#strands !== undefined || this.blocks.some(({ readsBackwards }) => readsBackwards);
  }

  #expectKnownUnits(use: string): void {
    if (this.#readsBackwards)
      throw new ArgumentError(`${use}: layers that read backwards, and both strands, need the whole sequence`);
    if (this.resolved.normalize === "sequence")
      throw new ArgumentError(`${use}: normalize "sequence" needs the whole sequence`);
  }

  #checkGaps(use: string, symbols: string, gaps: Tensor, shape: readonly number[]): void {
    if (!this.resolved.irregular) throw new ArgumentError(`${use}: gaps are for a model whose config says irregular`);
    if (gaps.shape.join() !== shape.join())
      throw new ShapeError(`${use}: gaps must be ${symbols} = [${shape.join(", ")}], got [${gaps.shape.join(", ")}]`);
  }

  /** @throws ArgumentError, ShapeError for options that do not fit together or the head. */
  #checkForward(
    b: number,
    l: number,
    { initialState, returnState, lengths, seqIdx, lastOnly, gaps, beforeHead }: ModelForwardOptions,
  ): void {
    if (gaps !== undefined) this.#checkGaps("forward", "[b, l]", gaps, [b, l]);
    if (this.#readsBackwards && seqIdx !== undefined && lengths !== undefined)
      throw new ArgumentError(
        "forward: rows that are read backwards are packed (seqIdx) or padded (lengths), not both",
      );
    if (
      this.#strands !== undefined &&
      (lastOnly || seqIdx !== undefined || (beforeHead && this.resolved.head.kind === "language"))
    )
      throw new ArgumentError("forward: a model of both strands takes no seqIdx, lastOnly or beforeHead");
    if (lengths !== undefined) checkLengths(lengths, b, l);
    if (initialState !== undefined || returnState) this.#expectKnownUnits("forward with a state");
    if (lengths !== undefined && (returnState || initialState))
      throw new ArgumentError("forward: rows of different lengths have no common state; run them one by one");
    if (seqIdx !== undefined && this.#pooling !== "none")
      throw new ArgumentError("forward: packed rows (seqIdx) need a head that answers every token");
    if (lastOnly && this.#pooling !== "none")
      throw new ArgumentError("forward: lastOnly is for a head that answers every token");
  }

  /** What of the tokens [b, l, dModel] the head sees, normed. */
  #pool(
    x: Tensor,
    { lengths, lastOnly = false }: ModelForwardOptions,
    before: Tensor | undefined,
    position: number,
  ): { pooled: Tensor; sum?: Tensor } {
    if (this.#pooling === "last" || lastOnly) return { pooled: this.normF.apply(lastToken(x, lengths)) };
    const normed = this.normF.apply(x);
    if (this.#pooling === "none") return { pooled: normed };
    const own = sumOfTokens(normed, lengths);
    const sum = before ? add(before, own) : own;
    if (lengths === undefined) return { pooled: div(sum, position + x.shape[1]!), sum };
    const shares = Float32Array.from(lengths, (length) => 1 / length);
    return { pooled: mul(sum, tensor(shares, [lengths.length, 1], { backend: x.backend })), sum };
  }

  /**
   * Moves weights to another backend and sets it, and the states that are given with them, in place. One weight after the other, so
   * that the model cannot be used meanwhile. Nothing changes if the backend cannot start or has no room.
   */
  async to(backend: string, ...states: readonly ModelState[]): Promise<this> {
    const from = this.backend;
    const moves = await Promise.all(states.map((state) => state.read()));
    const to = await startBackend(backend);
    if (to !== from) {
      this.#disposeDerived();
      await this.moveWeights(from, to);
    }
    await setBackend(backend);
    for (const move of moves) move(backend);
    return this;
  }

  #disposeDerived(): void {
    for (const mixer of this.mixers) mixer.dispose?.();
    for (const kept of [...this.linears.values(), ...this.derived]) kept.dispose();
  }

  override dispose(): void {
    this.#disposeDerived();
    super.dispose();
  }
}

/** @throws FormatError naming the layer whose memory has no step that the time between tokens could scale. */
function checkGaps(blocks: readonly ResidualBlock[]): void {
  blocks.forEach(({ mixers }, i) => {
    const mixer = mixers.find(({ kind, takesGaps }) => kind !== "mlp" && !takesGaps);
    if (mixer !== undefined)
      throw new FormatError(
        `config: irregular: layers.${i}: ${mixer.kind} has no step that the time between tokens scales; s5, mamba, mamba2, and s4d that looks back alone have`,
      );
  });
}

function makeBlock(model: ResolvedModel, layer: number, all: ParameterBuilder): ResidualBlock {
  const { mixers, mlp, normPlacement, shared } = model.layers[layer]!;
  const build = all.within(`layers.${layer}`);
  const norm = new Norm(model, model.dModel, build.within("norm"));
  const made = mixers.map(({ make, projections }, k) => {
    const inner = build.within(mixers.length === 1 ? "mixer" : `mixer.${k}`, projections);
    const mixer = make(inner);
    inner.expectProjectionsMade();
    return mixer;
  });
  return new ResidualBlock({
    norm,
    first: shared && makeSharedBranch(model, layer, all),
    mixers: made,
    reversed: mixers.map(({ reverse }) => reverse),
    inputMultipliers: mixers.map(({ inputMultiplier }) => inputMultiplier),
    outputMultipliers: mixers.map(({ outputMultiplier }) => outputMultiplier),
    norm2: mlp && new Norm(model, model.dModel, build.within("norm2")),
    mlp: mlp && makeMlp(mlp, build.within("mlp")),
    residualMultiplier: model.residualMultiplier,
    normPlacement,
  });
}
