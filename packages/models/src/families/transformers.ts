import type { FloatStorage, JsonObject } from "@statespace/files";
import type { ConfigFields } from "../config/fields.ts";
import type { Activation } from "../layers/activations.ts";
import type { ModelConfig, ResolvedModel } from "../model/config.ts";
import type { EncoderConfig, HeadConfig } from "../model/ends.ts";
import { expressible } from "./family.ts";
import { formatTransformersJson } from "./transformersJson.ts";

/** What the configuration class of a family has where the file says nothing. */
export interface TransformersDefaults {
  readonly vocabSize: number;
  readonly dModel: number;
  readonly nLayer: number;
  readonly bos: number | null;
  readonly eos: number | null;
  readonly pad: number | null;
  readonly tie: boolean;
  readonly initializerRange: number;
  /** Name and value of the epsilon of the norms. */
  readonly eps: readonly [name: string, value: number];
  /** Activations of the MLP that its models may have, by their names there, the default first; silu unless told. */
  readonly activations?: readonly string[];
}

const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  silu: "silu",
  swish: "silu",
  gelu: "gelu",
  gelu_pytorch_tanh: "geluTanh",
  relu2: "relu2",
};

/** The name that configs have for an activation. */
export function activationName(activation: Activation): string {
  return Object.keys(ACTIVATIONS).find((name) => ACTIVATIONS[name] === activation)!;
}

const DTYPE_NAMES: Record<FloatStorage, string> = { F32: "float32", F16: "float16", BF16: "bfloat16" };

/** A language model but for its layers. */
interface TransformersModel extends Omit<ModelConfig, "layers"> {
  readonly encoder: Extract<EncoderConfig, { kind: "embedding" }>;
  readonly head: Extract<HeadConfig, { kind: "language" }>;
}

/** What every language model of transformers says of itself, but for its layers. */
export function readShared(
  fields: ConfigFields,
  family: string,
  defaults: TransformersDefaults,
): {
  readonly dModel: number;
  readonly nLayer: number;
  readonly normEps: number;
  readonly activation: Activation;
  readonly model: TransformersModel;
} {
  const vocabSize = fields.integer("vocab_size", defaults.vocabSize);
  const dModel = fields.integer("hidden_size", defaults.dModel);
  const normEps = fields.number(...defaults.eps, { min: 0, max: 1 });
  const id = (standard: number | null): number | null => (standard !== null && standard < vocabSize ? standard : null);
  const known = defaults.activations ?? ["silu", "swish"];
  const activation = ACTIVATIONS[fields.choice("hidden_act", known, known[0]!)]!;
  const model = {
    modelType: "statespace",
    family,
    dModel,
    encoder: { kind: "embedding", vocabSize },
    head: { kind: "language", tie: fields.boolean("tie_word_embeddings", defaults.tie) },
    norm: "rms",
    normEps,
    residualInFp32: fields.boolean("residual_in_fp32", true),
    bosTokenId: fields.tokenId("bos_token_id", id(defaults.bos), vocabSize),
    eosTokenIds: fields.tokenIds("eos_token_id", id(defaults.eos), vocabSize),
    padTokenId: fields.padId("pad_token_id", id(defaults.pad), vocabSize),
    initializerRange: fields.number("initializer_range", defaults.initializerRange, { min: 0, max: 100 }),
    rescalePrenormResidual: fields.boolean("rescale_prenorm_residual", false),
  } as const;
  return {
    dModel,
    nLayer: fields.integer("num_hidden_layers", defaults.nLayer, { max: 4096 }),
    normEps,
    activation,
    model,
  };
}

/** Inverse of `readShared`. @throws ArgumentError for what no such config can say. */
export function writeShared(
  model: ResolvedModel,
  family: string,
  architecture: string,
  eps: string,
  dtype: FloatStorage,
  normOffset = 0,
): JsonObject {
  const { encoder, head, norm, eosTokenIds } = model;
  if (encoder.kind !== "embedding" || head.kind !== "language") {
    expressible(family, false, "head.kind", head.kind);
    throw new TypeError("unreachable");
  }
  expressible(family, norm === "rms", "norm", norm);
  expressible(family, model.normOffset === normOffset, "normOffset", model.normOffset);
  expressible(family, head.logitCap === undefined, "head.logitCap", head.logitCap);
  return {
    architectures: [architecture],
    model_type: family,
    dtype: DTYPE_NAMES[dtype],
    vocab_size: encoder.vocabSize,
    hidden_size: model.dModel,
    num_hidden_layers: model.layers.length,
    hidden_act: "silu",
    [eps]: model.normEps,
    tie_word_embeddings: head.tie ?? false,
    initializer_range: model.initializerRange,
    bos_token_id: model.bosTokenId,
    eos_token_id: eosTokenIds.length > 1 ? [...eosTokenIds] : (eosTokenIds[0] ?? null),
    pad_token_id: model.padTokenId,
    use_cache: true,
  };
}

/** @throws ArgumentError for a model whose layers, encoder or head have factors, or an MLP. */
export function expectNoExtras(family: string, model: ResolvedModel): void {
  const { encoder, head } = model;
  const mlp = model.layers.find((layer) => layer.mlp !== undefined)?.mlp;
  expressible(family, mlp === undefined, "mlp", mlp);
  expressible(family, model.residualMultiplier === 1, "residualMultiplier", model.residualMultiplier);
  const embedding = encoder.kind === "embedding" ? (encoder.multiplier ?? 1) : 1;
  expressible(family, embedding === 1, "encoder.multiplier", embedding);
  const logits = head.kind === "language" ? (head.multiplier ?? 1) : 1;
  expressible(family, logits === 1, "head.multiplier", logits);
}

/** Whether a config is of one of transformers' model types. */
export function isModelType(config: JsonObject, ...names: readonly string[]): boolean {
  return typeof config.model_type === "string" && names.includes(config.model_type);
}

export { formatTransformersJson };
