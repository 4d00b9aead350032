import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuBackend } from "@statespace/backend-cpu";
import { startBackend } from "@statespace/core/backend";
import { fromPretrained, ggufBlob, savePretrained, type Model } from "@statespace/models";
import { saveOnnx } from "@statespace/models/onnx";
import type { GoldenResult } from "../golden/run.ts";

/** Published checkpoints of a `model_type`, on the hub. */
const PUBLISHED: Readonly<Record<string, string>> = {
  bamba: "ibm-ai-platform/Bamba-9B-v2",
  falcon_h1: "tiiuae/Falcon-H1-0.5B-Instruct .. 34B, the Tinys",
  falcon_mamba: "tiiuae/falcon-mamba-7b",
  granitemoehybrid: "ibm-granite/granite-4.0-h-350m, -h-1b, -h-micro, -h-tiny, -h-small",
  jamba: "ai21labs/AI21-Jamba-Reasoning-3B, -Mini, -Large",
  lfm2: "LiquidAI/LFM2-350M .. 2.6B, LFM2.5",
  lfm2_moe: "LiquidAI/LFM2-8B-A1B",
  mamba: "state-spaces/mamba-130m-hf .. 2.8b-hf",
  mamba2: "mistralai/Mamba-Codestral-7B-v0.1",
  nemotron_h: "nvidia/NVIDIA-Nemotron-Nano-9B-v2, Nemotron-H, Nemotron 3",
  olmo_hybrid: "allenai/Olmo-Hybrid-7B",
  qwen3_5_moe_text: "Qwen/Qwen3.5-35B-A3B",
  qwen3_5_text: "Qwen/Qwen3.5-0.8B .. 27B",
  qwen3_next: "Qwen/Qwen3-Next-80B-A3B-Instruct",
  recurrent_gemma: "google/recurrentgemma-2b-it",
  zamba2: "Zyphra/Zamba2-1.2B .. 7B",
};

/** Those that llama.cpp has an architecture for that is read here; what is written may go under another's. */
const READ_AS_GGUF: ReadonlySet<string> = new Set(
  "bamba falcon_h1 falcon_mamba granitemoehybrid jamba lfm2 lfm2_moe mamba mamba2 nemotron_h qwen3_5_moe_text qwen3_5_text".split(
    " ",
  ),
);

interface Row {
  /** By its format, how many of the checkpoints are written in it. */
  readonly outputs: Map<string, number>;
  readonly names: string[];
}

/** The formats that a model can be written in, each tried. */
async function outputsOf(model: Model): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "formats-"));
  const ways: Readonly<Record<string, () => Promise<unknown>>> = {
    transformers: () => savePretrained(model, join(folder, "hf")),
    GGUF: () => ggufBlob(model),
    ONNX: () => saveOnnx(model, join(folder, "model.onnx")),
  };
  const held: string[] = [];
  try {
    for (const [name, write] of Object.entries(ways)) {
      const why = await write().then(
        () => undefined,
        (error: Error) => error,
      );
      if (why === undefined) held.push(name);
      // What a format cannot say is refused by name; all else is a fault.
      else if (why.name !== "ArgumentError") throw why;
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  return held;
}

/** What of its bounds the comparisons of some checkpoints with transformers took, on each backend. */
function parityOf(names: readonly string[], results: readonly GoldenResult[], backends: readonly string[]): string {
  const parts = backends.map((backend) => {
    const own = results.filter((r) => r.group === "hf" && r.backend === backend && names.includes(r.name));
    if (own.every((r) => "why" in r)) return "not run";
    const shares = own.map((r) => ("why" in r ? Number.POSITIVE_INFINITY : r.used));
    return `${(100 * Math.max(...shares)).toFixed(0)} %`;
  });
  return parts.join(", ");
}

/**
 * Families of Hugging Face transformers: published checkpoints, formats in and out (each tried on the family's small checkpoint), and how near logits,
 * tokens, loss and gradients are to transformers': the largest share of any bound that was used.
 */
export async function familyTable(
  golden: string,
  results: readonly GoldenResult[],
  backends: readonly string[],
): Promise<string> {
  const backend = await startBackend(cpuBackend());
  const rows = new Map<string, Row>();
  for (const name of new Set(results.filter(({ group }) => group === "hf").map((r) => r.name))) {
    const folder = join(golden, "hf", name);
    const { model_type: type } = JSON.parse(await readFile(join(folder, "config.json"), "utf8")) as {
      model_type: string;
    };
    const model = await fromPretrained(folder, { backend });
    const outputs = await outputsOf(model);
    model.dispose();
    const row = rows.get(type) ?? { outputs: new Map<string, number>(), names: [] };
    row.names.push(name);
    for (const format of outputs) row.outputs.set(format, (row.outputs.get(format) ?? 0) + 1);
    rows.set(type, row);
  }
  const lines = [...rows].map(([type, { outputs, names }]) => {
    const published = PUBLISHED[type];
    if (published === undefined) throw new Error(`tables: no published checkpoint is known of ${type}`);
    const inputs = ["safetensors", "PyTorch", ...(READ_AS_GGUF.has(type) ? ["GGUF"] : [])];
    const written = [...outputs].map(([format, count]) => (count === names.length ? format : `${format} (some)`));
    const parity = parityOf(names, results, backends);
    return `| \`${type}\` | ${published} | ${inputs.join(", ")} | ${written.join(", ")} | ${parity} |`;
  });
  return [
    `| \`model_type\` | checkpoints | in | out | of the bounds: ${backends.join(", ")} |`,
    "| --- | --- | --- | --- | --- |",
    ...lines,
  ].join("\n");
}
