import { refuseUnknown } from "@statespace/core/backend";
import { encodeOnnx, toPath, writeFileAtomically, type OnnxConstant, type OnnxGraph } from "@statespace/files";
import type { Model } from "../model/model.ts";
import { rowsOfModel, type RowSource } from "../families/rows.ts";
import { MICROSOFT } from "./dialect.ts";
import { modelGraph } from "./modelGraph.ts";
import { storedWeights, type StoredWeight } from "./onnxWeights.ts";
import { dialectOf, OPTION_NAMES, OTHER_NAMES, type SaveOnnxOptions } from "./options.ts";

const LARGEST_INLINE = 64 << 20;
/** External weights begin at multiples of this, so that they can be mapped. */
const ALIGNMENT = 4096;

/**
 * Writes a model as an ONNX file (Node): `ids` (or `inputs`, of vectors) and states in, `logits` (or `output`) and states out, each state as the model's own has it
 * (`state.0.ssm` is `layers.0.ssm` of a `ModelState`). Prompts and single tokens run by the same file. The file appears under its name when it is whole.
 * @throws ArgumentError naming the part of the model that has no graph, or the option that is wrong or not known; AbortedError; what the file system throws.
 */
export async function saveOnnx(model: Model, file: string | URL, options: SaveOnnxOptions = {}): Promise<void> {
  refuseUnknown("saveOnnx", options, OPTION_NAMES, OTHER_NAMES);
  await writeOnnx(model, rowsOfModel(), toPath(file), options);
}

/** What others want of a file. */
export interface FileForm {
  /** The graph under other names. */
  readonly renamed?: (graph: OnnxGraph) => OnnxGraph;
  /** What follows the file's name in that of its weights; ".data" unless told. */
  readonly dataSuffix?: string;
}

/** The file of a model whose rows come from anywhere. Errors as `saveOnnx`. @returns whether its weights lie beside it */
export async function writeOnnx(
  model: Model,
  rows: RowSource,
  path: string,
  options: SaveOnnxOptions,
  { renamed = (graph) => graph, dataSuffix = ".data" }: FileForm = {},
): Promise<boolean> {
  const dialect = dialectOf("saveOnnx", options);
  const graph = modelGraph(model, dialect);
  const weights = storedWeights(graph);
  const bytes = weights.reduce((total, { byteLength }) => total + byteLength, 0);
  const external = options.externalData ?? bytes > LARGEST_INLINE;
  const constants: OnnxConstant[] = [];
  const data = `${path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1)}${dataSuffix}`;
  let offset = 0;
  for (const weight of weights) {
    const { name, type, shape, byteLength } = weight;
    if (external) {
      constants.push({ name, type, shape, data: { file: data, offset, byteLength } });
      offset += Math.ceil(byteLength / ALIGNMENT) * ALIGNMENT;
    } else constants.push({ name, type, shape, data: await whole(weight, rows) });
  }
  // The weights first: a model that is there has them.
  if (external) await writeFileAtomically(`${path}${dataSuffix}`, externalBytes(weights, rows), options.signal);
  const domains = graph.nodes.some(({ domain }) => domain === MICROSOFT) ? { [MICROSOFT]: 1 } : {};
  const encoded = encodeOnnx(renamed(graph.graph("model", constants)), { opset: dialect.opset, domains });
  await writeFileAtomically(path, [encoded], options.signal);
  return external;
}

async function whole(weight: StoredWeight, rows: RowSource): Promise<Uint8Array> {
  const out = new Uint8Array(weight.byteLength);
  let at = 0;
  for await (const part of weight.bytes(rows)) {
    out.set(part, at);
    at += part.byteLength;
  }
  return out;
}

async function* externalBytes(
  weights: Iterable<StoredWeight>,
  rows: RowSource,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const weight of weights) {
    yield* weight.bytes(rows);
    const gap = -weight.byteLength & (ALIGNMENT - 1);
    if (gap > 0) yield new Uint8Array(gap);
  }
}
