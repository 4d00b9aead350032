import { embedding, linear, Rng, tidy, type Parameter, type Tensor } from "@statespace/core";
import type { AnyBackend } from "@statespace/core/backend";
import {
  AttentionMixer,
  kaimingUniform,
  Norm,
  normal,
  ParameterBuilder,
  ResidualBlock,
  s4Config,
  S4Mixer,
  type AttentionMixerConfig,
  type MambaMixerConfig,
} from "@statespace/models";
import { AblatedMixer } from "./ablatedMixer.ts";
import type { Mixing, Selects } from "./selects.ts";

export interface SequenceModelConfig {
  readonly mixing: Mixing;
  readonly vocabSize: number;
  readonly dModel: number;
  readonly dState: number;
  readonly nLayer: number;
  readonly seed: number;
}

const RMS = { norm: "rms", normEps: 1e-5, normOffset: 0 } as const;

/** Embedding, residual blocks around one kind of mixer, norm and head: the smallest model that can be asked for selective copying. */
export class SequenceModel {
  readonly config: SequenceModelConfig;
  readonly parameters: readonly Parameter[];
  readonly embedding: Parameter; // [v, dModel]
  readonly blocks: readonly ResidualBlock[];
  /** Those whose selection can be looked at: none of S4, which selects nothing. */
  readonly mixers: readonly AblatedMixer[];
  readonly normF: Norm;
  readonly head: Parameter; // [v, dModel]

  /** @param backend where it lives, by default the one that is set */
  constructor(config: SequenceModelConfig, backend?: AnyBackend) {
    this.config = config;
    const { vocabSize, dModel, nLayer, seed } = config;
    const build = new ParameterBuilder(new Rng(seed), nLayer, backend);
    this.embedding = build.make("embedding.weight", [vocabSize, dModel], normal(1));
    const mixers = Array.from({ length: nLayer }, (_, i) => makeMixer(config, build.within(`layers.${i}.mixer`)));
    this.mixers = mixers.filter((mixer) => mixer instanceof AblatedMixer);
    this.blocks = mixers.map(
      (mixer, i) =>
        new ResidualBlock({ norm: new Norm(RMS, dModel, build.within(`layers.${i}.norm`)), mixers: [mixer] }),
    );
    this.normF = new Norm(RMS, dModel, build.within("norm_f"));
    this.head = build.make("head.weight", [vocabSize, dModel], kaimingUniform(dModel));
    this.parameters = build.parameters;
  }

  get size(): number {
    return this.parameters.reduce((total, { size }) => total + size, 0);
  }

  get backend(): AnyBackend {
    return this.head.value.backend;
  }

  /** @param ids int32 [b, l] @returns logits [b, l, v] */
  forward(ids: Tensor): Tensor {
    return tidy(() => this.trace(ids)[0]!);
  }

  /** The same, and after the logits the stream [b, l, dModel] before the first block, between the blocks and after the last. */
  trace(ids: Tensor): Tensor[] {
    return tidy(() => {
      const streams = [embedding({ ids, weight: this.embedding.value }).y];
      for (const block of this.blocks) streams.push(block.forward(streams.at(-1)!).y);
      return [linear({ x: this.normF.apply(streams.at(-1)!), weight: this.head.value }).y, ...streams];
    });
  }

  dispose(): void {
    for (const { mixers } of this.blocks) for (const mixer of mixers) mixer.dispose?.();
    for (const parameter of this.parameters) parameter.dispose();
  }
}

function makeMixer(
  { mixing, dModel, dState }: SequenceModelConfig,
  build: ParameterBuilder,
): AblatedMixer | AttentionMixer | S4Mixer {
  if (mixing === "attention") return new AttentionMixer(attentionOf(dModel), build);
  // four times the state size of Mamba, as both papers have it
  if (mixing === "s4") return new S4Mixer(s4Config(dModel, { dState: 4 * dState }), build);
  return makeAblated(mixing, { dModel, dState }, build);
}

/** As it stands in a Transformer: two heads, rotary positions, no window. */
function attentionOf(dModel: number): AttentionMixerConfig {
  const headDim = dModel / 2;
  return {
    dModel,
    nHeads: 2,
    nHeadsKv: 2,
    headDim,
    useQkvBias: false,
    useOutBias: false,
    softmaxScale: headDim ** -0.5,
    causal: true,
    dConv: 0,
    rotaryDim: headDim,
    rotaryBase: 10_000,
    rotaryScaling: undefined,
    rotaryInterleaved: false,
    qkNorm: "none",
    qkNormEps: 1e-6,
    qkNormOffset: 0,
    outputGate: false,
    softCap: undefined,
    sinks: false,
    window: 0,
    mlpDim: 0,
  };
}

function makeAblated(
  selects: Selects,
  { dModel, dState }: Pick<SequenceModelConfig, "dModel" | "dState">,
  build: ParameterBuilder,
): AblatedMixer {
  const config: MambaMixerConfig = {
    dModel,
    dInner: 2 * dModel,
    dState,
    dConv: 1, // no short convolution: every step then sees its own token only, which is what the page is about
    dtRank: Math.max(1, Math.ceil(dModel / 16)),
    useBias: false,
    useConvBias: true,
    timeStepMin: 0.001,
    timeStepMax: 0.1,
    timeStepFloor: 1e-4,
    timeStepScale: 1,
    timeStepInitScheme: "random",
  };
  const mixer = new AblatedMixer(config, build);
  mixer.selects = selects;
  return mixer;
}
