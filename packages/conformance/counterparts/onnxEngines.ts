import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { openSession, ortModule, type OrtModule, type OrtPackage } from "./onnxPackages.ts";
import { runReading, type Reading } from "./onnxReading.ts";

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

async function logitsOf(ort: OrtModule, name: OrtPackage, file: string, reading: Reading): Promise<Float32Array> {
  const session = await openSession(ort, name, file);
  const logits = await runReading(ort, session, reading);
  await session.release();
  return logits;
}
