import type { ConfigFields } from "../checkpoint/configFields.ts";
import { AttentionMixer } from "../attention/block.ts";
import { hybridConfig, type HybridSettings } from "../language/hybridConfig.ts";
import type { Mixer } from "../layers/mixer.ts";
import type { ParameterBuilder } from "../layers/parameterBuilder.ts";
import { lsslConfig, type LsslConfig } from "../lssl/config.ts";
import { LsslMixer } from "../lssl/block.ts";
import { MambaMixer } from "../mamba/block.ts";
import { Mamba2Mixer } from "../mamba2/block.ts";
import { Mamba3Mixer } from "../mamba3/block.ts";
import { GruMixer } from "../recurrent/gru.ts";
import { LstmMixer } from "../recurrent/lstm.ts";
import { S4Mixer } from "../s4/block.ts";
import { dssConfig, s4Config, s4dConfig, type S4Config } from "../s4/config.ts";
import { S5Mixer } from "../s5/block.ts";
import { s5Config } from "../s5/config.ts";

/** Makes the mixer that was read, for a stack with so many additions to its residual stream. */
export type MixerMaker = (build: ParameterBuilder, rescaleLayers: number) => Mixer;

/** Reads the settings of one layer; absent ones take the kind's defaults. */
type MixerReader = (fields: ConfigFields, dModel: number) => MixerMaker;

/** Settings that are present, read by kind: a default never overwrites what a constructor chooses. */
class Given {
  readonly #fields: ConfigFields;
  readonly values: Record<string, unknown> = {};

  constructor(fields: ConfigFields) {
    this.#fields = fields;
  }

  integers(...keys: readonly string[]): this {
    return this.#each(keys, (key) => this.#fields.integer(key, undefined));
  }

  /** Whole numbers from 0. */
  counts(...keys: readonly string[]): this {
    return this.#each(keys, (key) => this.#fields.integer(key, undefined, { min: 0 }));
  }

  positives(...keys: readonly string[]): this {
    return this.#each(keys, (key) => this.#fields.number(key, undefined, { min: 0, max: 1e30, above: true }));
  }

  booleans(...keys: readonly string[]): this {
    return this.#each(keys, (key) => this.#fields.boolean(key, false));
  }

  choice(key: string, ...choices: readonly [string, ...string[]]): this {
    return this.#each([key], () => this.#fields.choice(key, choices, choices[0]));
  }

  #each(keys: readonly string[], read: (key: string) => unknown): this {
    for (const key of keys) if (this.#fields.has(key)) this.values[key] = read(key);
    return this;
  }
}

const TRANSFORMS = ["exp", "none", "relu", "sigmoid", "softplus"] as const;

function readS4(
  defaults: (dModel: number, options: Partial<S4Config>) => S4Config,
  ...inits: readonly [string, ...string[]]
): MixerReader {
  return (fields, dModel) => {
    const given = new Given(fields)
      .integers("dState", "rank", "channels", "nSsm")
      .counts("kernelLength")
      .positives("deltaMin", "deltaMax", "rate")
      .booleans("bidirectional", "deltaTie")
      .choice("init", ...inits)
      .choice("discretization", "zoh", "bilinear", "dss")
      .choice("stepMode", "linear", "dense")
      .choice("activation", "gelu", "none")
      .choice("output", "glu", "linear", "none");
    for (const key of ["deltaTransform", "realTransform", "imagTransform"]) given.choice(key, ...TRANSFORMS);
    const rates = fields.object("learningRates");
    const learningRates: Record<string, number> = {};
    for (const key of ["A", "B", "C", "delta"])
      if (rates.has(key)) learningRates[key] = rates.number(key, undefined, { min: 0, max: 1 });
    rates.rejectUnknown();
    const config = defaults(dModel, { ...(given.values as Partial<S4Config>), learningRates });
    return (build) => new S4Mixer(config, build);
  };
}

const readS5: MixerReader = (fields, dModel) => {
  const { values } = new Given(fields)
    .integers("dState", "blocks")
    .positives("deltaMin", "deltaMax", "stepRescale", "ssmLearningRate")
    .booleans("bidirectional", "conjSym", "clipEigs")
    .choice("discretization", "zoh", "bilinear")
    .choice("cInit", "truncStandardNormal", "lecunNormal", "complexNormal")
    .choice("activation", "fullGlu", "halfGlu1", "halfGlu2", "gelu", "none");
  const config = s5Config(dModel, values);
  return (build) => new S5Mixer(config, build);
};

const readLssl: MixerReader = (fields, dModel) => {
  const { values } = new Given(fields)
    .integers("dState", "channels")
    .positives("deltaMin", "deltaMax", "ssmLearningRate")
    .choice("measure", "legs", "legt", "lagt", "fourier", "foud", "random")
    .choice("discretization", "bilinear", "zoh", "gbt")
    .choice("mode", "convolutional", "recurrent")
    .choice("activation", "gelu", "none")
    .choice("output", "glu", "linear", "none");
  if (fields.has("alpha")) values["alpha"] = fields.number("alpha", undefined, { min: 0, max: 1 });
  const config = lsslConfig(dModel, values as Partial<LsslConfig>);
  return (build) => new LsslMixer(config, build);
};

/** The defaults of the hybrid stacks; widths follow from dModel. */
function hybridSettings<K extends "mamba" | "mamba2" | "mamba3" | "attention">(
  kind: K,
  dModel: number,
  given: Record<string, unknown>,
): HybridSettings[K] {
  return hybridConfig({ vocabSize: 1, dModel, layers: [kind], settings: { [kind]: given } }).settings[kind];
}

/** `expand` and `headDim` decide the inner width and the number of heads. */
function inner({ expand = 2, ...given }: Record<string, unknown>, dModel: number): Record<string, unknown> {
  const dInner = (expand as number) * dModel;
  return { ...given, dInner };
}

function heads(given: Record<string, unknown>, dModel: number): Record<string, unknown> {
  const wide = inner(given, dModel);
  return given["headDim"] === undefined
    ? wide
    : { ...wide, nHeads: (wide["dInner"] as number) / (given["headDim"] as number) };
}

const readMamba: MixerReader = (fields, dModel) => {
  const { values } = new Given(fields)
    .integers("expand", "dState", "dConv", "dtRank")
    .booleans("useBias", "useConvBias");
  const settings = hybridSettings("mamba", dModel, inner(values, dModel));
  return (build, rescaleLayers) => new MambaMixer({ ...settings, rescaleLayers }, build);
};

const readMamba2: MixerReader = (fields, dModel) => {
  const { values } = new Given(fields)
    .integers("expand", "dState", "headDim", "nGroups", "dConv", "chunkSize")
    .booleans("useBias", "useConvBias", "normBeforeGate");
  const wide = heads(values, dModel);
  const settings = hybridSettings("mamba2", dModel, { ...wide, normGroupSize: wide["dInner"] });
  return (build, rescaleLayers) => new Mamba2Mixer({ ...settings, rescaleLayers }, build);
};

const readMamba3: MixerReader = (fields, dModel) => {
  const { values } = new Given(fields)
    .integers("expand", "dState", "headDim", "nGroups", "chunkSize", "mimoRank", "nRopeAngles")
    .booleans("mimo", "outProjNorm")
    .choice("aActivation", "heavyTail", "softplus");
  const rank = values["mimo"] === true ? { mimoRank: 4 } : {};
  const settings = hybridSettings("mamba3", dModel, heads({ ...rank, ...values }, dModel));
  if (2 * settings.nRopeAngles > settings.dState)
    throw fields.error("nRopeAngles", `must be at most dState / 2 = ${settings.dState / 2}`);
  return (build, rescaleLayers) => new Mamba3Mixer({ ...settings, rescaleLayers }, build);
};

const readAttention: MixerReader = (fields, dModel) => {
  const { values } = new Given(fields)
    .integers("nHeads", "nHeadsKv", "headDim")
    .counts("rotaryDim", "dConv")
    .booleans("useQkvBias", "useOutBias");
  const nHeads = (values["nHeads"] as number | undefined) ?? undefined;
  const headDim = (values["headDim"] as number | undefined) ?? (nHeads === undefined ? undefined : dModel / nHeads);
  if (headDim !== undefined && !Number.isInteger(headDim))
    throw fields.error("nHeads", `must divide dModel = ${dModel}`);
  const derived =
    headDim === undefined
      ? {}
      : {
          headDim,
          softmaxScale: headDim ** -0.5,
          nHeads: nHeads ?? dModel / headDim,
          rotaryDim: headDim - (headDim % 2),
        };
  const settings = hybridSettings("attention", dModel, {
    ...derived,
    ...("nHeads" in derived ? { nHeadsKv: derived.nHeads } : {}),
    ...values,
  });
  if (settings.nHeads % settings.nHeadsKv !== 0)
    throw fields.error("nHeadsKv", `must divide nHeads = ${settings.nHeads}`);
  if (settings.rotaryDim % 2 !== 0 || settings.rotaryDim > settings.headDim)
    throw fields.error("rotaryDim", `must be even and at most headDim = ${settings.headDim}`);
  return (build, rescaleLayers) => new AttentionMixer({ ...settings, rescaleLayers }, build);
};

function readRecurrent(Mixer: typeof GruMixer | typeof LstmMixer): MixerReader {
  return (fields, dModel) => {
    const config = { dModel, dHidden: fields.integer("dHidden", dModel) };
    return (build) => new Mixer(config, build);
  };
}

/** How the settings of each kind of mixer are read. */
export const mixerReaders: Readonly<Record<string, MixerReader>> = {
  lssl: readLssl,
  s4: readS4(s4Config, "legs", "legt", "fourier"),
  s4d: readS4(s4dConfig, "lin", "inv", "legs", "real", "random"),
  dss: readS4(dssConfig, "lin", "inv", "legs", "random"),
  s5: readS5,
  mamba: readMamba,
  mamba2: readMamba2,
  mamba3: readMamba3,
  gru: readRecurrent(GruMixer),
  lstm: readRecurrent(LstmMixer),
  attention: readAttention,
};
