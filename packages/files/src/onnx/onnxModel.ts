import { ProtoWriter } from "./protobuf.ts";

/** Element types by their numbers in ONNX. */
const TYPES = { float32: 1, uint8: 2, int64: 7 } as const;

/** Element type of a tensor of a graph. */
export type OnnxType = keyof typeof TYPES;

/** A tensor that a graph takes or gives; an axis is a size or a name. */
export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly (number | string)[];
}

/** An attribute of a node: a number, whole or not, a text, whole numbers, or a graph. */
export type OnnxAttribute = number | { readonly float: number } | string | readonly number[] | OnnxGraph;

/** An operation: what it takes and gives, by name; an empty name is an optional input that is not there. */
export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  readonly domain?: string;
}

/** A constant in a graph: its bytes, or where they lie in a file beside the model. */
export interface OnnxConstant {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  readonly data: Uint8Array | { readonly file: string; readonly offset: number; readonly byteLength: number };
}

/** A graph of ONNX: nodes in an order that can be run, the tensors they hold, what goes in and out. */
export interface OnnxGraph {
  readonly name: string;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly nodes: readonly OnnxNode[];
  readonly constants?: readonly OnnxConstant[];
}

/** What stands around a graph. */
export interface OnnxModelOptions {
  /** Version of the standard operators. */
  readonly opset: number;
  /** Versions of operators of other domains. */
  readonly domains?: Readonly<Record<string, number>>;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The oldest version of the file format that has an opset. */
const irVersionOf = (opset: number): number => (opset > 20 ? 13 : 9);
const PRODUCER = "statespace";

/** The bytes of an ONNX file. */
export function encodeOnnx(graph: OnnxGraph, { opset, domains = {}, metadata = {} }: OnnxModelOptions): Uint8Array {
  const model = new ProtoWriter().int(1, irVersionOf(opset)).text(2, PRODUCER).message(7, encodeGraph(graph));
  for (const [domain, version] of Object.entries({ "": opset, ...domains }))
    model.message(8, new ProtoWriter().text(1, domain).int(2, version));
  for (const [key, value] of Object.entries(metadata)) model.message(14, new ProtoWriter().text(1, key).text(2, value));
  return model.finish();
}

function encodeGraph({ name, inputs, outputs, nodes, constants = [] }: OnnxGraph): ProtoWriter {
  const graph = new ProtoWriter();
  nodes.forEach((node, i) => graph.message(1, encodeNode(node, `${node.op}_${i}`)));
  graph.text(2, name);
  for (const constant of constants) graph.message(5, encodeConstant(constant));
  for (const value of inputs) graph.message(11, encodeValue(value));
  for (const value of outputs) graph.message(12, encodeValue(value));
  return graph;
}

function encodeNode({ op, inputs, outputs, attributes = {}, domain }: OnnxNode, name: string): ProtoWriter {
  const node = new ProtoWriter();
  for (const input of inputs) node.text(1, input);
  for (const output of outputs) node.text(2, output);
  node.text(3, name).text(4, op);
  for (const [key, value] of Object.entries(attributes)) node.message(5, encodeAttribute(key, value));
  if (domain !== undefined) node.text(7, domain);
  return node;
}

function encodeAttribute(name: string, value: OnnxAttribute): ProtoWriter {
  const attribute = new ProtoWriter().text(1, name);
  if (typeof value === "number") return attribute.int(3, value).int(20, 2);
  if (typeof value === "string") return attribute.text(4, value).int(20, 3);
  if ("nodes" in value) return attribute.message(6, encodeGraph(value)).int(20, 5);
  if ("float" in value) return attribute.float(2, value.float).int(20, 1);
  for (const item of value) attribute.int(8, item);
  return attribute.int(20, 7);
}

function encodeConstant({ name, type, shape, data }: OnnxConstant): ProtoWriter {
  const tensor = new ProtoWriter();
  for (const size of shape) tensor.int(1, size);
  tensor.int(2, TYPES[type]).text(8, name);
  if (data instanceof Uint8Array) return tensor.bytes(9, data);
  const entries = { location: data.file, offset: String(data.offset), length: String(data.byteLength) };
  for (const [key, value] of Object.entries(entries)) tensor.message(13, new ProtoWriter().text(1, key).text(2, value));
  return tensor.int(14, 1);
}

function encodeValue({ name, type, shape }: OnnxValue): ProtoWriter {
  const axes = new ProtoWriter();
  for (const axis of shape)
    axes.message(1, typeof axis === "number" ? new ProtoWriter().int(1, axis) : new ProtoWriter().text(2, axis));
  const tensor = new ProtoWriter().int(1, TYPES[type]).message(2, axes);
  return new ProtoWriter().text(1, name).message(2, new ProtoWriter().message(1, tensor));
}
