import { refuseUnknown } from "@statespace/core/backend";
import {
  encodeOnnx,
  removeFile,
  toPath,
  writeFileAtomically,
  writeFileResumably,
  type OnnxConstant,
  type OnnxGraph,
  type ResumableOptions,
  type ResumableSection,
} from "@statespace/files";
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
  /** Written as `writeFileResumably` does it, with its identity and progress. */
  readonly resumable?: Omit<ResumableOptions, "signal" | "whole">;
}

/** What was written. */
export interface WrittenOnnx {
  /** The weights lie beside the model. */
  readonly external: boolean;
  /** Bytes that an earlier call had left. */
  readonly resumed: number;
}

/** The file of a model whose rows come from anywhere. Errors as `saveOnnx`. */
export async function writeOnnx(
  model: Model,
  rows: RowSource,
  path: string,
  options: SaveOnnxOptions,
  { renamed = (graph) => graph, dataSuffix = ".data", resumable }: FileForm = {},
): Promise<WrittenOnnx> {
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
  const write = async (
    file: string,
    sections: readonly ResumableSection[],
    whole?: () => Promise<void>,
  ): Promise<number> => {
    const { signal } = options;
    if (resumable !== undefined) return writeFileResumably(file, sections, { ...resumable, signal, whole });
    await writeFileAtomically(file, bytesOf(sections), signal);
    return 0;
  };
  // The weights first: a model that is there has them, and no other's.
  const beside = external ? externalSections(weights, rows) : [];
  const resumed = external ? await write(`${path}${dataSuffix}`, beside, () => removeFile(path)) : 0;
  const domains = graph.nodes.some(({ domain }) => domain === MICROSOFT) ? { [MICROSOFT]: 1 } : {};
  const encoded = encodeOnnx(renamed(graph.graph("model", constants)), { opset: dialect.opset, domains });
  await write(path, [{ name: "graph", start: 0, byteLength: encoded.byteLength, chunks: () => [encoded] }]);
  return { external, resumed };
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

/** Each weight, and what fills it up to the next. */
function externalSections(weights: Iterable<StoredWeight>, rows: RowSource): readonly ResumableSection[] {
  let end = 0;
  return Array.from(weights, (weight) => {
    const start = end;
    end += Math.ceil(weight.byteLength / ALIGNMENT) * ALIGNMENT;
    return {
      name: weight.name,
      start,
      byteLength: end - start,
      async *chunks() {
        yield* weight.bytes(rows);
        const gap = -weight.byteLength & (ALIGNMENT - 1);
        if (gap > 0) yield new Uint8Array(gap);
      },
    };
  });
}

async function* bytesOf(sections: readonly ResumableSection[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const { chunks } of sections) yield* chunks();
}
