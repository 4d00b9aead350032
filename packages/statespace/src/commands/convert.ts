import { join } from "node:path";
import { ArgumentError } from "@statespace/core";
import { convert as convertFiles, type GgufWeights } from "@statespace/models";
import { chooseBackend } from "./backendOption.ts";
import { countOption, readWords, UsageError, type Command } from "./command.ts";
import { installedOnnxRuntime } from "./onnxLogits.ts";
import { megabytes, ProgressLine } from "./terminal.ts";
import { verifyConversion } from "./verifyConversion.ts";

const USAGE = `usage: statespace convert IN OUT [--to FORM] [--weights F] [--opset N] [--operators O]
                          [--view V] [--verify [--backend B]] [--json]

Converts a checkpoint (a folder, a GGUF file, a URL or a name on the hub) into another form. Weights go through some rows at a time, so
that a few hundred megabytes of memory suffice for any model; OUT appears when it is whole. Where it was stopped or killed, the same
command goes on from what is there (OUT...part).

  --to FORM      gguf (one file, for llama.cpp), onnx (one file, for onnxruntime), transformers.js (a folder with an ONNX file),
                 transformers, mamba_ssm or statespace (a folder), or a family by its name; gguf and onnx where OUT ends so, else
                 transformers, unless told
  --weights F    f32, f16 or bf16; in a GGUF file also q8, q4 and q4_k_m; in an ONNX file f32, q8 and q4. In a folder as they are, in a
                 file f32, unless told
  --opset N      of an ONNX file: 20, which is read everywhere, or 27, which has LinearAttention and CausalConvWithState; default 20
  --operators O  of an ONNX file: standard, or onnxruntime, whose own domain has those two operators at opset 20; default standard
  --view V       of an ONNX file: how S4D, S5 and LSSL run, by their recurrence or convolution, which has no states; default recurrence
  --verify       loads both and compares their logits, those of an ONNX file in onnxruntime-node where it is installed; exit status 3
                 where those of float32 weights differ
  --backend B    webgpu, wasm or cpu, for --verify; the best there is unless told
  --json         one JSON object instead of text`;

const OPTIONS = {
  to: { type: "string" },
  weights: { type: "string" },
  opset: { type: "string" },
  operators: { type: "string" },
  view: { type: "string" },
  verify: { type: "boolean", default: false },
  backend: { type: "string" },
  json: { type: "boolean", default: false },
} as const;

/** How far the logits of the two may be from each other, of the largest: float32 sums in two orders, and A, which goes through its logarithm. */
const BOUND = 1e-3;

/** Forms that an engine of npm runs, not this library. */
const ONNX_FORMS: ReadonlySet<string> = new Set(["onnx", "transformers.js"]);

async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, positionals } = readWords(args, OPTIONS);
  const [from, out, ...more] = positionals;
  if (from === undefined || out === undefined || more.length > 0) throw new UsageError("IN and OUT are needed");
  if (values.backend !== undefined && !values.verify)
    throw new UsageError("--backend is for --verify, which loads the model");
  const isOnnx = ONNX_FORMS.has(values.to ?? "") || (values.to === undefined && /\.onnx$/i.test(out));
  const runtime = values.verify && isOnnx ? await installedOnnxRuntime() : undefined;
  await chooseBackend("cpu");
  const line = new ProgressLine();
  const notes: string[] = [];
  const converting = convertFiles(from, out, {
    to: values.to,
    weights: values.weights as GgufWeights | undefined,
    opset: countOption("opset", values.opset) as 20 | 27 | undefined,
    operators: values.operators as "standard" | "onnxruntime" | undefined,
    view: values.view as "recurrence" | "convolution" | undefined,
    signal,
    notice: (note) => notes.push(note),
    progress: ({ loaded, total }) => line.show(`${megabytes(loaded)} of ${megabytes(total)}`),
  });
  const { family, resumed } = await converting
    .catch((error: unknown) => {
      // a form or a setting that cannot be had: the words of the command are what is wrong
      throw error instanceof ArgumentError ? new UsageError(error.message, { cause: error }) : error;
    })
    .finally(() => {
      line.clear();
      if (signal.aborted) console.error("stopped; the same command goes on from here");
    });
  const onnx = runtime && { file: onnxFileOf(family, out, values.weights), runtime };
  const verified = values.verify ? await verifyConversion(from, { out, onnx }, values.backend, signal) : undefined;
  if (values.json)
    console.log(JSON.stringify({ from, out, family, resumed, notes, ...(verified === undefined ? {} : { verified }) }));
  else {
    for (const note of notes) console.error(note);
    if (resumed > 0) console.error(`went on after the ${megabytes(resumed)} that were there`);
    console.log(`${out}: ${family}`);
    if (verified !== undefined) {
      const { difference, same, places } = verified;
      console.log(
        `logits: the largest difference is ${difference.toExponential(1)} of the largest; ${same} of ${places} likeliest tokens are the same`,
      );
    }
    const check = checkElsewhere(family, out, verified !== undefined);
    if (check !== undefined) console.log(check);
  }
  const exact = values.weights === undefined || values.weights === "f32";
  return verified !== undefined && exact && !(verified.difference <= BOUND) ? 3 : 0;
}

/** How what was written is looked at in the engine that it is for. */
function checkElsewhere(family: string, out: string, verified: boolean): string | undefined {
  if (family === "onnx") return "to check in onnxruntime: the states are inputs, zero before the first token";
  if (family === "transformers.js")
    return `to check in transformers.js: await AutoModelForCausalLM.from_pretrained("${out}")`;
  if (family.startsWith("gguf:")) return `to check in llama.cpp: llama-cli -m ${out} --temp 0 -n 64 -p "..."`;
  if (!verified || family.startsWith("statespace")) return undefined;
  return family === "mamba_ssm"
    ? `to check in mamba_ssm: MambaLMHeadModel.from_pretrained("${out}")`
    : `to check in transformers: AutoModelForCausalLM.from_pretrained("${out}")`;
}

/** The ONNX file of a form: transformers.js has a name for each type of weights. */
function onnxFileOf(family: string, out: string, weights: string | undefined): string {
  if (family === "onnx") return out;
  const name = weights === "q4" ? "model_q4" : weights === "q8" ? "model_quantized" : "model";
  return join(out, "onnx", `${name}.onnx`);
}

/** `statespace convert`: from one form of checkpoint into another. */
export const convert: Command = {
  summary: "converts a checkpoint: GGUF, ONNX, transformers, transformers.js, mamba_ssm",
  usage: USAGE,
  run,
};
