import {
  causalConv1d,
  embedding,
  linear,
  mul,
  reshape,
  Rng,
  silu,
  split,
  tidy,
  type Parameter,
  type Tensor,
} from "@statespace/core";
import {
  kaimingUniform,
  modelObjective,
  Norm,
  normal,
  ParameterBuilder,
  ResidualBlock,
  S4Mixer,
  s4dConfig,
  type ForwardResult,
  type LayerState,
  type Mixer,
  type Trainable,
} from "@statespace/models";

/**
 * S4D in Mamba's block: the projections, short convolution and gate are Mamba's, but what looks along the sequence is time-invariant.
 * The row "S4" of table 1 in arXiv 2312.00752 with the architecture "Mamba". For training only: it carries no state.
 */
class GatedS4Mixer implements Mixer {
  readonly kind = "gated-s4d";
  readonly constantState = true;
  readonly parameters: readonly Parameter[];
  readonly #inProj: Parameter; // [2 d, dModel]
  readonly #taps: Parameter; // [d, 4]
  readonly #bias: Parameter; // [d]
  readonly #outProj: Parameter; // [dModel, d]
  readonly #inner: S4Mixer;
  readonly #d: number;

  constructor(dModel: number, dState: number, build: ParameterBuilder) {
    const d = 2 * dModel;
    this.#d = d;
    this.#inProj = build.make("in_proj.weight", [2 * d, dModel], kaimingUniform(dModel));
    this.#taps = build.make("conv1d.weight", [d, 4], kaimingUniform(4));
    this.#bias = build.make("conv1d.bias", [d], kaimingUniform(4), { decay: false });
    this.#outProj = build.make("out_proj.weight", [dModel, d], kaimingUniform(d));
    this.#inner = new S4Mixer(s4dConfig(d, { dState, output: "none", activation: "none" }), build.within("s4"));
    this.parameters = [this.#inProj, this.#taps, this.#bias, this.#outProj, ...this.#inner.parameters];
  }

  forward(input: Tensor): ForwardResult {
    const y = tidy(() => {
      const [x, z] = split(linear({ x: input, weight: this.#inProj.value }).y, [this.#d, this.#d]) as [Tensor, Tensor];
      const u = causalConv1d(
        { x, weight: reshape(this.#taps.value, [this.#d, 4]), bias: this.#bias.value },
        { silu: true },
      ).y;
      return linear({ x: mul(this.#inner.forward(u).y, silu(z)), weight: this.#outProj.value }).y;
    });
    return { y };
  }

  initialState(): LayerState {
    throw new Error("GatedS4Mixer: for training only");
  }

  step(): Tensor {
    throw new Error("GatedS4Mixer: for training only");
  }

  dispose(): void {
    this.#inner.dispose();
  }
}

/** A token model of such layers, ready for `train`. */
export function gatedS4Trainable(options: {
  vocabSize: number;
  dModel: number;
  dState: number;
  layers: number;
  seed: number;
}): Trainable & { dispose(): void } {
  const { vocabSize, dModel, dState, layers, seed } = options;
  const build = new ParameterBuilder(new Rng(seed));
  const rms = { norm: "rms", normEps: 1e-5, normOffset: 0 } as const;
  const table = build.make("encoder.weight", [vocabSize, dModel], normal(0.02));
  const blocks = Array.from({ length: layers }, (_, i) => {
    const own = build.within(`layers.${i}`);
    return new ResidualBlock({
      norm: new Norm(rms, dModel, own.within("norm")),
      mixers: [new GatedS4Mixer(dModel, dState, own.within("mixer"))],
    });
  });
  const norm = new Norm(rms, dModel, build.within("norm_f"));
  const head = build.make("head.weight", [vocabSize, dModel], kaimingUniform(dModel));
  const forward = (ids: Tensor): { output: Tensor } => ({
    output: tidy(() => {
      let x = embedding({ ids, weight: table.value }).y;
      for (const block of blocks) x = block.forward(x).y;
      return linear({ x: norm.apply(x), weight: head.value }).y;
    }),
  });
  const { loss, measure } = modelObjective({
    parameters: build.parameters,
    backend: table.backend,
    forward,
    resolved: { head: { kind: "language" } },
  });
  return {
    parameters: build.parameters,
    loss,
    measure: measure!,
    dispose() {
      for (const { mixers } of blocks) for (const mixer of mixers) mixer.dispose?.();
      for (const parameter of build.parameters) parameter.dispose();
    },
  };
}
