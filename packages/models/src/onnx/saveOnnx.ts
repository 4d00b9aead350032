import { refuseUnknown } from "@statespace/core/backend";
import { encodeOnnx, fromFloat32Array, toPath, writeFileAtomically, type OnnxConstant } from "@statespace/files";
import type { Parameter } from "@statespace/core";
import type { Model } from "../model/model.ts";
import { rowsOfModel, VALUES_AT_ONCE, type RowSource } from "../families/rows.ts";
import { rowLength } from "../families/weightNames.ts";
import { modelGraph } from "./modelGraph.ts";

/** How an ONNX file is written. */
export interface SaveOnnxOptions {
  /** Weights in a file beside the model (`NAME.data`), as models of 2 GB and more must have; those above 64 MB unless told. */
  readonly externalData?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** The operators are those of this version; every runtime of the last years has it. */
const OPSET = 20;
const LARGEST_INLINE = 64 << 20;
/** External weights begin at multiples of this, so that they can be mapped. */
const ALIGNMENT = 4096;

/**
 * Writes a language model as an ONNX file (Node): `ids` and states in, `logits` and states out, each state as the model's own has it (`state.0.ssm` is
 * `layers.0.ssm` of a `ModelState`). The recurrences are `Scan`, so that prompts and single tokens run by the same file. The file appears under its name when it is whole.
 * @throws ArgumentError naming the part of the model that has no graph, or the option that is not known; AbortedError; what the file system throws.
 */
export async function saveOnnx(model: Model, file: string | URL, options: SaveOnnxOptions = {}): Promise<void> {
  refuseUnknown("saveOnnx", options, ["externalData", "signal"], {
    external_data: "externalData",
    abortSignal: "signal",
  });
  await writeOnnx(model, rowsOfModel(), toPath(file), options);
}

/** The file of a model whose rows come from anywhere. Errors as `saveOnnx`. */
export async function writeOnnx(model: Model, rows: RowSource, path: string, options: SaveOnnxOptions): Promise<void> {
  const graph = modelGraph(model);
  const bytes = [...graph.weights.values()].reduce((total, { size }) => total + 4 * size, 0);
  const external = options.externalData ?? bytes > LARGEST_INLINE;
  const constants: OnnxConstant[] = [];
  const data = `${path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1)}.data`;
  let offset = 0;
  for (const [name, parameter] of graph.weights) {
    const byteLength = 4 * parameter.size;
    const { shape } = parameter;
    if (external) {
      constants.push({ name, type: "float32", shape, data: { file: data, offset, byteLength } });
      offset += Math.ceil(byteLength / ALIGNMENT) * ALIGNMENT;
    } else {
      const values = await rows(parameter, 0, parameter.size / rowLength(shape));
      constants.push({ name, type: "float32", shape, data: fromFloat32Array(values, "F32").slice() });
    }
  }
  // The weights first: a model that is there has them.
  if (external) await writeFileAtomically(`${path}.data`, externalBytes(graph.weights.values(), rows), options.signal);
  const encoded = encodeOnnx(graph.graph("model", constants), { opset: OPSET });
  await writeFileAtomically(path, [encoded], options.signal);
}

async function* externalBytes(
  parameters: Iterable<Parameter>,
  rows: RowSource,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const parameter of parameters) {
    const width = rowLength(parameter.shape);
    const height = parameter.size / width;
    const step = Math.max(1, Math.floor(VALUES_AT_ONCE / width));
    for (let row = 0; row < height; row += step)
      yield fromFloat32Array(await rows(parameter, row, Math.min(step, height - row)), "F32");
    const gap = -(4 * parameter.size) & (ALIGNMENT - 1);
    if (gap > 0) yield new Uint8Array(gap);
  }
}
