import { ArgumentError } from "@statespace/core";
import type { OnnxGraph, OnnxNode, OnnxValue } from "@statespace/files";
import type { GatedDeltaMixerConfig } from "../mixers/gatedDelta/config.ts";
import type { Model } from "../model/model.ts";

/** Axes by our names and by theirs; sizes that are not `batch_size` are 0 before the first token. */
const AXES: Readonly<Record<string, string>> = {
  batch: "batch_size",
  length: "sequence_length",
  past: "past_sequence_length",
  total: "total_sequence_length",
};
/** States by our names and by theirs. */
const STATES: Readonly<Record<string, string>> = { conv: "conv", ssm: "ssm", memory: "recurrent" };
const ATTENTION: Readonly<Record<string, string>> = { keys: "key", values: "value" };
/** Heads before tokens: [b, l, h, p] as [b, h, l, p], and back. */
const SWAP = { perm: [0, 2, 1, 3] };

/** A state of theirs: its name, its shape, and whether it is ours the other way round. */
interface Port {
  readonly past: string;
  readonly present: string;
  readonly swapped: boolean;
  /** Channels of ours that it has; all unless told. */
  readonly channels?: number;
}

/**
 * The graph with inputs and outputs as transformers.js has them: `input_ids`; `past_conv.0`, `past_ssm.0`, `past_recurrent.0` of layer 0, and
 * `past_key_values.0.key` [batch, heads, tokens, channels]; `logits`, and `present` for `past`. There is no `attention_mask`: rows are not padded.
 */
export function transformersPorts(graph: OnnxGraph, model: Model, modelType: string): OnnxGraph {
  const layerOf = model.resolved.layers.flatMap(({ mixers }, i) => mixers.map((mixer) => ({ i, mixer })));
  const portsOf = (name: string): readonly Port[] => {
    const [, number, kind] = /\.(\d+)\.(\w+)$/.exec(name)! as unknown as [string, string, string];
    const { i, mixer } = layerOf[Number(number)]!;
    const part = ATTENTION[kind];
    if (part !== undefined)
      return [{ past: `past_key_values.${i}.${part}`, present: `present.${i}.${part}`, swapped: true }];
    const named = (suffix: string, channels?: number): Port => ({
      past: `past_${STATES[kind]!}.${i}${suffix}`,
      present: `present_${STATES[kind]!}.${i}${suffix}`,
      swapped: false,
      ...(channels === undefined ? {} : { channels }),
    });
    if (modelType !== "olmo_hybrid" || kind !== "conv") return [named("")];
    const { nHeadsKey: hk, nHeads: h, headDim: p, dState: n } = mixer.config as GatedDeltaMixerConfig;
    return [named(".query", hk * n), named(".key", hk * n), named(".value", h * p)];
  };
  const before: OnnxNode[] = [{ op: "Identity", inputs: ["input_ids"], outputs: ["ids"] }];
  const after: OnnxNode[] = [];
  const inputs = graph.inputs.flatMap((value) => {
    if (value.name === "ids") return [{ ...value, name: "input_ids", shape: axesOf(value.shape) }];
    const ports = portsOf(value.name);
    const names = ports.map(({ past }) => past);
    before.push(
      ports.length > 1
        ? { op: "Concat", inputs: names, outputs: [value.name], attributes: { axis: -1 } }
        : moved(names[0]!, value.name, ports[0]!),
    );
    return ports.map((port) => valueOf(value, port, port.past));
  });
  const constants = [...(graph.constants ?? [])];
  const outputs = graph.outputs.flatMap((value) => {
    if (value.name === "logits") return [{ ...value, shape: axesOf(value.shape) }];
    const ports = portsOf(value.name);
    const names = ports.map(({ present }) => present);
    if (ports.length > 1) {
      const sizes = BigInt64Array.from(ports, ({ channels }) => BigInt(channels!));
      const name = `${value.name}.sizes`;
      constants.push({ name, type: "int64", shape: [ports.length], data: new Uint8Array(sizes.buffer) });
      after.push({ op: "Split", inputs: [value.name, name], outputs: names, attributes: { axis: -1 } });
    } else after.push(moved(value.name, names[0]!, ports[0]!));
    return ports.map((port) => valueOf(value, port, port.present));
  });
  return { ...graph, inputs, outputs, constants, nodes: [...before, ...graph.nodes, ...after] };
}

function moved(from: string, to: string, { swapped }: Port): OnnxNode {
  const ends = { inputs: [from], outputs: [to] };
  return swapped ? { op: "Transpose", ...ends, attributes: SWAP } : { op: "Identity", ...ends };
}

const axesOf = (shape: OnnxValue["shape"]): OnnxValue["shape"] =>
  shape.map((axis) => (typeof axis === "string" ? AXES[axis]! : axis));

function valueOf({ type, shape }: OnnxValue, { swapped, channels }: Port, name: string): OnnxValue {
  const own = axesOf(shape);
  const [b, l, h, p] = own;
  if (swapped) return { name, type, shape: [b!, h!, l!, p!] };
  return { name, type, shape: channels === undefined ? own : [...own.slice(0, -1), channels] };
}

/** Models of which transformers.js has a class with states. */
const CLASSES = ["lfm2", "lfm2_moe", "granitemoehybrid", "falcon_h1", "nemotron_h", "qwen3_next", "qwen3_5_text", "olmo_hybrid"]; // prettier-ignore

/** @throws ArgumentError for a kind of model that transformers.js has no class for */
export function checkTransformersClass(modelType: unknown): string {
  if (CLASSES.includes(String(modelType))) return String(modelType);
  throw new ArgumentError(
    `onnx: transformers.js must have a class for the model, one of ${CLASSES.join(", ")}, got ${String(modelType)}`,
  );
}
