import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { UsageError } from "./command.ts";

/** What of `onnxruntime-node` is used. */
interface Tensor {
  readonly data: Float32Array | BigInt64Array;
}
interface Session {
  readonly inputMetadata: readonly { readonly name: string; readonly shape: readonly (number | string)[] }[];
  run(feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}
export interface OnnxRuntime {
  readonly Tensor: new (
    type: "float32" | "int64",
    data: Float32Array | BigInt64Array,
    dims: readonly number[],
  ) => Tensor;
  readonly InferenceSession: { create(file: string, options: object): Promise<Session> };
}

/** Names of ids, and of a state that comes out by that which goes in: ours, and those of transformers.js. */
const IDS: ReadonlySet<string> = new Set(["ids", "input_ids"]);
const after = (input: string): string =>
  input
    .replace(/^state\./, "state_out.")
    .replace(/^past_key_values\./, "present.")
    .replace(/^past_/, "present_");

/** onnxruntime, where it is installed for this folder. @throws UsageError where it is not, telling how it is had */
export async function installedOnnxRuntime(folder: string = process.cwd()): Promise<OnnxRuntime> {
  let path: string;
  try {
    path = createRequire(join(folder, "package.json")).resolve("onnxruntime-node");
  } catch (cause) {
    throw new UsageError("--verify of an ONNX file runs it in onnxruntime: `npm install onnxruntime-node` here first", {
      cause,
    });
  }
  const found = (await import(pathToFileURL(path).href)) as Partial<OnnxRuntime> & { default?: OnnxRuntime };
  return found.InferenceSession === undefined ? found.default! : (found as OnnxRuntime);
}

/** Logits [l, vocabulary] of one row of tokens: the first `prompt` at once, then one by one, the states of each run given to the next; at once where there are no states. */
export async function onnxLogits(
  ort: OnnxRuntime,
  file: string,
  ids: Int32Array,
  prompt: number,
): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(file, { logSeverityLevel: 3 });
  try {
    const states: Record<string, Tensor> = {};
    let idsName = "ids";
    for (const { name, shape } of session.inputMetadata) {
      if (IDS.has(name)) {
        idsName = name;
        continue;
      }
      const sizes = shape.map((axis) => (typeof axis === "number" ? axis : axis.startsWith("batch") ? 1 : 0));
      states[name] = new ort.Tensor("float32", new Float32Array(sizes.reduce((a, b) => a * b, 1)), sizes);
    }
    const first = Object.keys(states).length === 0 ? ids.length : prompt;
    const parts: Float32Array[] = [];
    for (let from = 0, to = first; from < ids.length; from = to, to++) {
      const part = BigInt64Array.from(ids.subarray(from, to), BigInt);
      const found = await session.run({ [idsName]: new ort.Tensor("int64", part, [1, part.length]), ...states });
      for (const name of Object.keys(states)) states[name] = found[after(name)]!;
      parts.push(found["logits"]!.data as Float32Array);
    }
    const logits = new Float32Array(parts.reduce((total, { length }) => total + length, 0));
    let at = 0;
    for (const part of parts) {
      logits.set(part, at);
      at += part.length;
    }
    return logits;
  } finally {
    await session.release();
  }
}
