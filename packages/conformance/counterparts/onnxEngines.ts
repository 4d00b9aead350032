import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { openSession, ortModule, type OrtModule, type OrtPackage, type OrtTensor } from "./onnxPackages.ts";

/** Token ids of some rows, of which the first tokens are read at once and the rest one by one. */
export interface Reading {
  readonly ids: Int32Array;
  readonly batch: number;
  readonly prompt: number;
}

/** Something that runs ONNX files. */
export interface OnnxEngine {
  readonly name: string;
  /** Logits [b, l, v] of all tokens; the states of each run are given to the next. */
  logits(file: string, reading: Reading): Promise<Float32Array>;
}

/** onnxruntime of a Python, or the evaluator of its onnx package after its checker. @throws Error where it has none */
export function pythonEngine(python: string, kind: "runtime" | "reference"): OnnxEngine {
  const [name, module] = kind === "runtime" ? ["Python", "onnxruntime"] : ["onnx.reference", "onnx"];
  execFileSync(python, ["-c", `import ${module}, numpy`], { stdio: "ignore" });
  const script = fileURLToPath(new URL("onnx_runtime.py", import.meta.url));
  return {
    name,
    logits: (file, { ids, batch, prompt }) => {
      const folder = dirname(file);
      writeFileSync(join(folder, "ids.bin"), BigInt64Array.from(ids, BigInt));
      execFileSync(python, [script, folder, String(ids.length / batch), String(prompt), kind], {
        stdio: ["ignore", "inherit", "pipe"],
      });
      return Promise.resolve(new Float32Array(new Uint8Array(readFileSync(join(folder, "found.bin"))).buffer));
    },
  };
}

/** A package of npm, of a folder where it was installed. @throws Error where it is not there */
export async function packageEngine(name: OrtPackage, folder: string): Promise<OnnxEngine> {
  const ort = await ortModule(name, folder);
  return { name, logits: (file, reading) => logitsOf(ort, name, file, reading) };
}

async function logitsOf(
  ort: OrtModule,
  name: OrtPackage,
  file: string,
  { ids, batch, prompt }: Reading,
): Promise<Float32Array> {
  const session = await openSession(ort, name, file);
  const length = ids.length / batch;
  const states: Record<string, OrtTensor> = {};
  for (const { name: input, shape } of session.inputMetadata) {
    if (input === "ids") continue;
    const sizes = shape.map((axis) => (axis === "batch" ? batch : axis === "past" ? 0 : Number(axis)));
    states[input] = new ort.Tensor("float32", new Float32Array(sizes.reduce((a, b) => a * b, 1)), sizes);
  }
  const parts: { readonly from: number; readonly to: number; readonly data: Float32Array }[] = [];
  for (let from = 0, to = prompt; from < length; from = to, to++) {
    const rows = Array.from({ length: batch }, (_, row) => [...ids.subarray(row * length + from, row * length + to)]);
    const part = new ort.Tensor("int64", BigInt64Array.from(rows.flat(), BigInt), [batch, to - from]);
    const found = await session.run({ ids: part, ...states });
    for (const input of Object.keys(states)) states[input] = found[input.replace("state.", "state_out.")]!;
    parts.push({ from, to, data: (found["logits"]!.data as Float32Array).slice() });
  }
  await session.release();
  const width = parts[0]!.data.length / (batch * prompt);
  const all = new Float32Array(batch * length * width);
  for (const { from, to, data } of parts) {
    const size = (to - from) * width;
    for (let row = 0; row < batch; row++)
      all.set(data.subarray(row * size, (row + 1) * size), (row * length + from) * width);
  }
  return all;
}
