import { packFromF32 } from "@statespace/core/backend";
import { publishedWeights, type MambaMixerConfig, type Model } from "@statespace/models";

/*
 * A GGUF file (version 3) of one of our Mamba models, as llama.cpp reads it: header, metadata, tensor infos, then tensors, each at a multiple
 * of 32 bytes. Extents are written innermost first; A is stored as -exp(ALog). The vocabulary is a stand-in: 256 byte tokens, then t256, t257, ...
 */
const ALIGNMENT = 32;
const TYPES = { f32: 0, q8: 8 } as const;
const VALUE = { u32: 4, f32: 6, string: 8, array: 9 } as const;

class Writer {
  readonly parts: Uint8Array[] = [];
  size = 0;
  bytes(part: Uint8Array): this {
    this.parts.push(part);
    this.size += part.length;
    return this;
  }
  #number(width: number, set: (view: DataView) => void): this {
    const part = new Uint8Array(width);
    set(new DataView(part.buffer));
    return this.bytes(part);
  }
  u32(value: number): this {
    return this.#number(4, (view) => view.setUint32(0, value, true));
  }
  u64(value: number): this {
    return this.#number(8, (view) => view.setBigUint64(0, BigInt(value), true));
  }
  f32(value: number): this {
    return this.#number(4, (view) => view.setFloat32(0, value, true));
  }
  string(text: string): this {
    const part = new TextEncoder().encode(text);
    return this.u64(part.length).bytes(part);
  }
  align(): this {
    return this.bytes(new Uint8Array((ALIGNMENT - (this.size % ALIGNMENT)) % ALIGNMENT));
  }
}

/** Texts of the tokens: the byte alphabet of GPT-2's vocabulary, then names. */
export function vocabulary(size: number): string[] {
  const printable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
  return Array.from({ length: size }, (_, id) => bytes[id] ?? `t${id}`);
}

const NAMES: readonly (readonly [RegExp, string])[] = [
  [/^backbone\.embeddings\.weight$/, "token_embd.weight"],
  [/^backbone\.norm_f\.weight$/, "output_norm.weight"],
  [/^backbone\.layers\.(\d+)\.norm\.weight$/, "blk.$1.attn_norm.weight"],
  [/^backbone\.layers\.(\d+)\.mixer\.in_proj\.weight$/, "blk.$1.ssm_in.weight"],
  [/^backbone\.layers\.(\d+)\.mixer\.conv1d\.(\w+)$/, "blk.$1.ssm_conv1d.$2"],
  [/^backbone\.layers\.(\d+)\.mixer\.x_proj\.weight$/, "blk.$1.ssm_x.weight"],
  [/^backbone\.layers\.(\d+)\.mixer\.dt_proj\.(\w+)$/, "blk.$1.ssm_dt.$2"],
  [/^backbone\.layers\.(\d+)\.mixer\.A_log$/, "blk.$1.ssm_a"],
  [/^backbone\.layers\.(\d+)\.mixer\.D$/, "blk.$1.ssm_d"],
  [/^backbone\.layers\.(\d+)\.mixer\.out_proj\.weight$/, "blk.$1.ssm_out.weight"],
];

function ggufName(name: string): string {
  const found = NAMES.find(([pattern]) => pattern.test(name));
  if (!found) throw new Error(`${name} has no place in a GGUF file`);
  return name.replace(...found);
}

/** The parts of the file. Matrices whose rows divide into blocks are packed as asked, all else is f32. */
export async function toGguf(model: Model, format: "f32" | "q8"): Promise<Uint8Array[]> {
  const { vocabSize } = model;
  const { dModel, layers, normEps } = model.resolved;
  const { dConv, dInner, dState, dtRank } = layers[0]!.mixers[0]!.config as MambaMixerConfig;
  const tensors = [...(await publishedWeights(model))].map(([name, { shape, values }]) => {
    const extents = name.includes("conv1d.weight") ? [shape[0]!, dConv] : shape;
    const packed = format === "q8" && extents.length === 2 && extents[1]! % 32 === 0 && !name.endsWith("A_log");
    const plain = name.endsWith("A_log") ? values.map((x) => -Math.exp(x)) : values;
    const data = packed
      ? packFromF32(plain, extents, "q8")
      : new Uint8Array(plain.buffer, plain.byteOffset, plain.byteLength);
    return { name: ggufName(name), extents: extents.toReversed(), type: packed ? TYPES.q8 : TYPES.f32, data };
  });
  const texts = {
    "general.architecture": "mamba",
    "general.name": "random",
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "default",
  };
  const counts = {
    "general.file_type": format === "q8" ? 7 : 0,
    "mamba.context_length": 1 << 20,
    "mamba.embedding_length": dModel,
    "mamba.feed_forward_length": 0,
    "mamba.attention.head_count": 0,
    "mamba.block_count": layers.length,
    "mamba.ssm.conv_kernel": dConv,
    "mamba.ssm.inner_size": dInner,
    "mamba.ssm.state_size": dState,
    "mamba.ssm.time_step_rank": dtRank,
    "tokenizer.ggml.bos_token_id": 0,
    "tokenizer.ggml.eos_token_id": 0,
  };
  const lists = { "tokenizer.ggml.tokens": vocabulary(vocabSize), "tokenizer.ggml.merges": ["t 2"] };
  const out = new Writer();
  out.bytes(new TextEncoder().encode("GGUF"));
  out.u32(3);
  out.u64(tensors.length);
  out.u64(Object.keys(texts).length + Object.keys(counts).length + Object.keys(lists).length + 1);
  for (const [key, value] of Object.entries(texts)) out.string(key).u32(VALUE.string).string(value);
  for (const [key, value] of Object.entries(counts)) out.string(key).u32(VALUE.u32).u32(value);
  out.string("mamba.attention.layer_norm_rms_epsilon").u32(VALUE.f32).f32(normEps);
  for (const [key, values] of Object.entries(lists)) {
    out.string(key).u32(VALUE.array).u32(VALUE.string).u64(values.length);
    for (const value of values) out.string(value);
  }
  let offset = 0;
  for (const { name, extents, type, data } of tensors) {
    out.string(name).u32(extents.length);
    for (const extent of extents) out.u64(extent);
    out.u32(type).u64(offset);
    offset += Math.ceil(data.length / ALIGNMENT) * ALIGNMENT;
  }
  for (const { data } of tensors) out.align().bytes(data);
  return out.parts;
}
