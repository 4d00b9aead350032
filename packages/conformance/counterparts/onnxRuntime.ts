/**
 * Compares models here with onnxruntime, which runs the ONNX files that are written here: logits of a prompt, then of 100 tokens one by one, the states of each
 * run given to the next.
 *
 *     node --conditions statespace-source packages/conformance/counterparts/onnxRuntime.ts [--modules DIR] [--chromium] [--python PYTHON] [--reference PYTHON] [--large] [MODEL ...]
 *         [--opset 27] [--operators onnxruntime] [--weights q4] [--view convolution] [--external]
 *
 * DIR is a folder where `npm i --ignore-scripts onnxruntime-node onnxruntime-web` was run (or what ONNX_MODULES says): both are compared, the web's as WASM, in Node, and with --chromium in a page (CHROMIUM_PATH names the browser, /usr/bin/chromium unless told). PYTHON
 * has onnxruntime and numpy, or for --reference onnx 1.23: its checker and its evaluator, which has the standard operators alone. MODEL is what `load` takes, or a family whose random model of a small or, with --large, of about 90 million weights is taken (`all` is
 * each of them), or a classic layer, s4d, s5 or lssl; the tiny models of the golden vectors unless told. The second line is options of `saveOnnx`; weights are packed here too. Exit code 1 where a bound is missed, 2 where no onnxruntime is there.
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { ArgumentError, readFloats, registerBackend, setBackend, tensor, tidy } from "@statespace/core";
import { fromPretrained, Model, parseModelConfig, type ModelConfig } from "@statespace/models";
import { saveOnnx, type OnnxWeights, type SaveOnnxOptions } from "@statespace/models/onnx";
import { packageEngine, pythonEngine, type OnnxEngine } from "./onnxEngines.ts";
import { browserEngine } from "./onnxBrowser.ts";
import { ALL_SHAPES, shapeOf } from "./shapes.ts";

/** Largest difference of two logits, by the largest: float32 sums in other orders, which a delta rule over 100 tokens of random weights carries on. */
const BOUND = 1e-4;
const CLASSIC: ReadonlySet<string> = new Set(["s4d", "s5", "lssl"]);
const TOKENS = 120;
const BATCH = 2;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    modules: { type: "string" },
    chromium: { type: "boolean", default: false },
    python: { type: "string" },
    reference: { type: "string" },
    opset: { type: "string" },
    operators: { type: "string" },
    weights: { type: "string", default: "f32" },
    view: { type: "string" },
    external: { type: "boolean", default: false },
    large: { type: "boolean", default: false },
  },
});

/** What `saveOnnx` itself checks. */
const saveOptions = {
  weights: values.weights,
  ...(values.opset === undefined ? {} : { opset: Number(values.opset) }),
  ...(values.operators === undefined ? {} : { operators: values.operators }),
  ...(values.view === undefined ? {} : { view: values.view }),
  ...(values.external ? { externalData: true } : {}),
} as SaveOnnxOptions;

/** A filter takes the whole sequence. */
const PROMPT = values.view === "convolution" ? TOKENS : 20;

/** What ends with the command. */
const closing: (() => Promise<void>)[] = [];

async function engines(): Promise<OnnxEngine[]> {
  const modules = values.modules ?? process.env["ONNX_MODULES"];
  const found: OnnxEngine[] = [];
  const add = async (what: string, make: () => OnnxEngine | Promise<OnnxEngine>): Promise<void> => {
    try {
      found.push(await make());
    } catch {
      console.error(`${what} is not there`);
    }
  };
  for (const name of ["onnxruntime-node", "onnxruntime-web"] as const)
    if (modules !== undefined) await add(`${name} of ${modules}`, () => packageEngine(name, modules));
  const browser = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";
  if (values.chromium)
    await add(`${browser}, or onnxruntime-web of ${modules ?? "--modules DIR"},`, async () => {
      const engine = await browserEngine(modules!, browser);
      closing.push(() => engine.close());
      return engine;
    });
  const { python, reference } = values;
  if (python !== undefined) await add(`onnxruntime of ${python}`, () => pythonEngine(python, "runtime"));
  if (reference !== undefined) await add(`onnx of ${reference}`, () => pythonEngine(reference, "reference"));
  if (found.length > 0) return found;
  console.error(
    "no onnxruntime: npm i --ignore-scripts onnxruntime-node onnxruntime-web in a folder, and give it as --modules DIR; or a Python that has it as --python PYTHON",
  );
  process.exit(2);
}

/** A language model of classic layers of 128 channels. */
function classic(kind: string): Model {
  const layers = Array.from({ length: 4 }, () => ({ kind, dState: 32 }));
  const encoder = { kind: "embedding", vocabSize: 512 };
  const config = { modelType: "statespace", dModel: 128, encoder, head: { kind: "language" }, layers };
  return new Model(config as unknown as ModelConfig, 1);
}

function open(from: string): Promise<Model> | Model {
  if (CLASSIC.has(from)) return classic(from);
  const shape = shapeOf(from, values.large ? "large" : "small");
  return shape === undefined
    ? fromPretrained(from, { notice: () => undefined })
    : new Model(parseModelConfig(shape), 1);
}

async function logitsOf(model: Model, ids: Int32Array): Promise<Float32Array> {
  const output = tidy(() => model.forward(tensor(ids, [BATCH, TOKENS], { backend: model.backend })).output);
  const logits = await readFloats(output);
  output.dispose();
  return logits;
}

/** The largest difference of tokens [from, to) of rows [b, l, v]. */
function distance(a: Float32Array, b: Float32Array, from: number, to: number): number {
  const width = a.length / (BATCH * TOKENS);
  let most = a.length === b.length ? 0 : Infinity;
  for (let row = 0; row < BATCH; row++)
    for (let i = (row * TOKENS + from) * width; i < (row * TOKENS + to) * width; i++)
      most = Math.max(most, Math.abs(a[i]! - b[i]!));
  return most;
}

async function compare(from: string, all: readonly OnnxEngine[], file: string): Promise<void> {
  const name = basename(from);
  // WASM rounds what packed weights are multiplied with to eight bits; onnxruntime is told not to.
  const packed = values.weights !== "f32";
  await setBackend(packed ? "cpu" : "wasm");
  const model = await open(from);
  const { encoder } = model.resolved;
  const vocabulary = encoder.kind === "embedding" ? encoder.vocabSize : 1;
  const ids = Int32Array.from({ length: BATCH * TOKENS }, (_, i) => (i * 37 + (i % 7) * 5) % vocabulary);
  try {
    await model.quantize(values.weights as OnnxWeights);
    await saveOnnx(model, file, saveOptions);
    const expected = await logitsOf(model, ids);
    const largest = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    const bound = BOUND * largest;
    for (const engine of all) {
      const found = await engine.logits(file, { ids, batch: BATCH, prompt: PROMPT });
      const [prompt, steps] = [distance(expected, found, 0, PROMPT), distance(expected, found, PROMPT, TOKENS)];
      const ok = Math.max(prompt, steps) <= bound;
      if (!ok) process.exitCode = 1;
      const figures = [prompt, steps, bound, largest].map((x) => x.toExponential(1)).join(" | ");
      console.log(`| ${name} | ${engine.name} | ${figures} | ${ok ? "ok" : "FAILED"} |`);
    }
  } catch (error) {
    if (!(error instanceof ArgumentError)) process.exitCode = 1;
    console.log(`| ${name} | ${(error as Error).message.slice(0, 300)} | | | | | |`);
  } finally {
    model.dispose();
  }
}

const all = await engines();
registerBackend(cpuBackend());
registerBackend(wasmBackend());
const golden = fileURLToPath(new URL("../golden/hf/", import.meta.url));
const tiny = (): string[] => readdirSync(golden).map((name) => join(golden, name));
const models =
  positionals.length === 0 ? tiny() : positionals.flatMap((name) => (name === "all" ? ALL_SHAPES : [name]));
const folder = mkdtempSync(join(tmpdir(), "statespace-onnx-"));
console.log("| model | onnxruntime | prompt at once | 100 tokens one by one | bound | largest logit | |");
console.log("| --- | --- | --- | --- | --- | --- | --- |");
try {
  for (const from of models) await compare(from, all, join(folder, "model.onnx"));
} finally {
  for (const close of closing) await close();
  rmSync(folder, { recursive: true });
}
