import { FormatError } from "@statespace/core";
import type { TensorFile } from "@statespace/files";
import type { HybridSettings, LanguageConfig } from "../language/hybridConfig.ts";
import type { MambaMixerConfig } from "../mixers/mamba/config.ts";
import type { Mamba2MixerConfig } from "../mixers/mamba2/config.ts";
import type { Mamba3MixerConfig } from "../mixers/mamba3/config.ts";
import type { AttentionConfig, ConfigDialect, LanguageModelConfig } from "./modelConfig.ts";
import { quote } from "@statespace/files";

const EMBEDDING_KEYS: Record<ConfigDialect, string> = {
  transformers: "backbone.embeddings.weight",
  mamba_ssm: "backbone.embedding.weight",
};
/** Key of the output head; absent where it shares the embedding's weight. */
export const HEAD_KEY = "lm_head.weight";

/** The name of a tensor in transformers' dialect, whichever dialect it is written in; the two differ in the embedding alone. */
export function canonicalKey(key: string): string {
  return key === EMBEDDING_KEYS.mamba_ssm ? EMBEDDING_KEYS.transformers : key;
}

/** The name of a tensor of transformers' dialect in another one. */
export function dialectKey(key: string, dialect: ConfigDialect): string {
  return key === EMBEDDING_KEYS.transformers ? EMBEDDING_KEYS[dialect] : key;
}

type Shapes = Map<string, readonly number[]>;

/**
 * Every tensor that a model of this configuration has, with its shape, under transformers' names and in the order of the forward pass.
 * A tied head has no tensor of its own.
 */
export function tensorShapes(config: LanguageConfig): ReadonlyMap<string, readonly number[]> {
  const shapes: Shapes = new Map();
  shapes.set(EMBEDDING_KEYS.transformers, [config.vocabSize, config.dModel]);
  for (let i = 0; i < config.nLayer; i++) {
    const layer = `backbone.layers.${i}`;
    addNorm(shapes, `${layer}.norm`, config);
    if (config.attention !== undefined && config.attnLayers.includes(i))
      addAttention(shapes, `${layer}.mixer`, config.dModel, config.attention);
    else addMixer(shapes, `${layer}.mixer`, config, i);
    if (config.dIntermediate > 0) {
      addNorm(shapes, `${layer}.norm2`, config);
      shapes.set(`${layer}.mlp.fc1.weight`, [2 * config.dIntermediate, config.dModel]);
      shapes.set(`${layer}.mlp.fc2.weight`, [config.dModel, config.dIntermediate]);
    }
  }
  addNorm(shapes, "backbone.norm_f", config);
  if (!config.tieEmbeddings) shapes.set(HEAD_KEY, [config.vocabSize, config.dModel]);
  return shapes;
}

/**
 * Pairs every tensor the configuration asks for with the key under which the checkpoint has it.
 * A tied model may carry a copy of its head; it is passed over.
 * Errors: {@link FormatError} naming the key that is missing, of another shape, or unknown.
 */
export function matchTensors(
  weights: Pick<TensorFile, "entries">,
  config: LanguageConfig,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const key of weights.entries.keys()) {
    const canonical = canonicalKey(key);
    if (found.has(canonical))
      throw new FormatError(`tensors ${quote(key)} and ${quote(found.get(canonical) as string)} are the same weight`);
    found.set(canonical, key);
  }
  const shapes = tensorShapes(config);
  for (const [canonical, shape] of shapes) {
    const key = found.get(canonical);
    const actual = key === undefined ? undefined : weights.entries.get(key)?.shape;
    if (key === undefined || actual === undefined)
      throw new FormatError(`tensor ${quote(dialectKey(canonical, config.dialect))} is missing`);
    if (actual.length !== shape.length || shape.some((size, axis) => size !== actual[axis])) {
      throw new FormatError(
        `tensor ${quote(key)}: shape must be [${shape.join(", ")}] by config.json, got [${actual.join(", ")}]`,
      );
    }
  }
  if (config.tieEmbeddings) found.delete(HEAD_KEY);
  for (const [canonical, key] of found) {
    if (!shapes.has(canonical))
      throw new FormatError(`tensor ${quote(key)} is not part of a ${config.modelType} model of this configuration`);
  }
  return found;
}

function addNorm(shapes: Shapes, prefix: string, { dModel, norm }: LanguageModelConfig): void {
  shapes.set(`${prefix}.weight`, [dModel]);
  if (norm === "layer") shapes.set(`${prefix}.bias`, [dModel]);
}

function addMixer(shapes: Shapes, prefix: string, config: LanguageConfig, layer: number): void {
  const kind = config.modelType === "hybrid" ? config.layers[layer]! : config.modelType;
  const settings = config.modelType === "hybrid" ? config.settings : { mamba: config, mamba2: config, mamba3: config };
  if (kind === "attention" && "attention" in settings)
    return addAttention(shapes, prefix, config.dModel, settings.attention);
  const local = localShapes(kind, settings as unknown as HybridSettings, config.dModel);
  for (const [name, shape] of Object.entries(local)) shapes.set(`${prefix}.${name}`, shape);
}

function localShapes(
  kind: string,
  { mamba, mamba2, mamba3, mlp }: HybridSettings,
  dModel: number,
): Record<string, readonly number[]> {
  if (kind === "mamba3") return mamba3Shapes(mamba3);
  if (kind === "mamba2") return mamba2Shapes(mamba2);
  if (kind === "mlp") return { "fc1.weight": [2 * mlp.hidden, dModel], "fc2.weight": [dModel, mlp.hidden] };
  return mambaShapes(mamba);
}

function mambaShapes({
  dModel,
  dInner,
  dState,
  dConv,
  dtRank,
  useBias,
  useConvBias,
}: MambaMixerConfig): Record<string, readonly number[]> {
  return {
    "in_proj.weight": [2 * dInner, dModel],
    ...(useBias ? { "in_proj.bias": [2 * dInner] } : {}),
    "conv1d.weight": [dInner, 1, dConv],
    ...(useConvBias ? { "conv1d.bias": [dInner] } : {}),
    "x_proj.weight": [dtRank + 2 * dState, dInner],
    "dt_proj.weight": [dInner, dtRank],
    "dt_proj.bias": [dInner],
    A_log: [dInner, dState],
    D: [dInner],
    "out_proj.weight": [dModel, dInner],
    ...(useBias ? { "out_proj.bias": [dModel] } : {}),
  };
}

function mamba2Shapes(config: Mamba2MixerConfig): Record<string, readonly number[]> {
  const { dModel, dInner, dState, dConv, nHeads, nGroups, useBias, useConvBias, mixerNorm, dHasHeadDim } = config;
  const convDim = dInner + 2 * nGroups * dState; // x, B, C
  return {
    "in_proj.weight": [dInner + convDim + nHeads, dModel], // z, x, B, C, delta
    ...(useBias ? { "in_proj.bias": [dInner + convDim + nHeads] } : {}),
    "conv1d.weight": [convDim, 1, dConv],
    ...(useConvBias ? { "conv1d.bias": [convDim] } : {}),
    dt_bias: [nHeads],
    A_log: [nHeads],
    D: [dHasHeadDim ? dInner : nHeads],
    ...(mixerNorm ? { "norm.weight": [dInner] } : {}),
    "out_proj.weight": [dModel, dInner],
    ...(useBias ? { "out_proj.bias": [dModel] } : {}),
  };
}

function mamba3Shapes(config: Mamba3MixerConfig): Record<string, readonly number[]> {
  const { dModel, dInner, dState, nHeads, headDim, nGroups, mimo, mimoRank, nRopeAngles, outProjNorm } = config;
  const perRank = [nHeads, mimoRank, headDim];
  return {
    // z, x, B, C, delta, A, trapezoid, angles
    "in_proj.weight": [2 * dInner + 2 * dState * nGroups * mimoRank + 3 * nHeads + nRopeAngles, dModel],
    dt_bias: [nHeads],
    B_bias: [nHeads, mimoRank, dState],
    C_bias: [nHeads, mimoRank, dState],
    "B_norm.weight": [dState],
    "C_norm.weight": [dState],
    ...(mimo ? { mimo_x: perRank, mimo_z: perRank, mimo_o: perRank } : {}),
    D: [nHeads],
    ...(outProjNorm ? { "norm.weight": [dInner] } : {}),
    "out_proj.weight": [dModel, dInner],
  };
}

function addAttention(shapes: Shapes, prefix: string, dModel: number, attention: AttentionConfig): void {
  const { nHeads, nHeadsKv, headDim, mlpDim, dConv, useQkvBias, useOutBias } = attention;
  const qkvDim = headDim * (nHeads + 2 * nHeadsKv);
  shapes.set(`${prefix}.in_proj.weight`, [qkvDim + mlpDim, dModel]);
  if (useQkvBias) shapes.set(`${prefix}.in_proj.bias`, [qkvDim + mlpDim]);
  if (dConv > 0) {
    shapes.set(`${prefix}.conv1d.weight`, [qkvDim, 1, dConv]);
    shapes.set(`${prefix}.conv1d.bias`, [qkvDim]);
  }
  shapes.set(`${prefix}.out_proj.weight`, [dModel, headDim * nHeads + mlpDim / 2]);
  if (useOutBias) shapes.set(`${prefix}.out_proj.bias`, [dModel]);
}
