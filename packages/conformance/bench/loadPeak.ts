// How much memory loading takes beside the weights as they are kept (Linux):
//   node --conditions=statespace-source bench/loadPeak.ts [--params 1.4e9] [--shape lfm2-350m] [--weights q4] [--backend wasm|wasm-worker|cpu] [--decode 8] [--json]
// writes a checkpoint of a published Mamba's shape, or of one of those of publishedShapes.ts, with random weights to a temporary folder (5.6 GB for 1.4e9) and removes it afterwards;
// `--folder DIR` loads one that is there. The peak is that of the whole process, wasm memory included, above what it had before the load.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fork } from "node:child_process";
import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { setBackend, type PackedFormat } from "@statespace/core";
import { currentBackend, packBytes, type WeightFormat } from "@statespace/core/backend";
import { fromPretrained, generate } from "@statespace/models";
import { PUBLISHED_SHAPES } from "./publishedShapes.ts";
import { publishedShape, writeRandomCheckpoint, writeRandomModel } from "./randomCheckpoint.ts";

const { values: options } = parseArgs({
  options: {
    params: { type: "string", default: "1.4e9" },
    shape: { type: "string" },
    folder: { type: "string" },
    weights: { type: "string", default: "q4" },
    backend: { type: "string", default: "wasm" },
    decode: { type: "string", default: "0" },
    json: { type: "boolean", default: false },
  },
});

/** The config.json of a shape. */
function hybrid(name: string): Readonly<Record<string, unknown>> {
  const found = PUBLISHED_SHAPES[name];
  if (found !== undefined) return found;
  throw new Error(`there is no shape ${name}; there are ${Object.keys(PUBLISHED_SHAPES).join(", ")}`);
}

/** A line of /proc/self/status, in bytes. */
function status(name: "VmRSS" | "VmHWM"): number {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(readFileSync("/proc/self/status", "utf8"));
  if (found === null) throw new Error(`/proc/self/status has no ${name}: this runs on Linux`);
  return 1024 * Number(found[1]);
}

/** Loads, in this process, and tells what that took. */
async function measure(folder: string): Promise<void> {
  const worker = options.backend === "wasm-worker";
  await setBackend(options.backend === "cpu" ? cpuBackend() : wasmBackend({ threads: 2, worker }));
  const backend = currentBackend();
  const format = options.weights as WeightFormat;
  writeFileSync("/proc/self/clear_refs", "5"); // the high-water mark begins anew
  const [before, heldBefore] = [status("VmRSS"), backend.memory().heldBytes];
  const from = performance.now();
  const model = await fromPretrained(folder, { weights: format });
  const seconds = (performance.now() - from) / 1000;
  const [peak, held] = [status("VmHWM") - before, backend.memory().heldBytes - heldBefore];
  const packed = model.parameters.reduce(
    (sum, parameter) =>
      sum + (model.formats.has(parameter) ? packBytes(parameter.shape, format as PackedFormat) : 4 * parameter.size),
    0,
  );
  const largest = 4 * Math.max(...model.parameters.map(({ size }) => size));
  const ids: number[] = [];
  const decodeFrom = performance.now();
  const maxNewTokens = Number(options.decode);
  if (maxNewTokens > 0)
    for await (const { id } of generate(model, [[1, 2, 3]], { maxNewTokens, greedy: true, eosTokenIds: [] }))
      ids.push(id);
  const decodeSeconds = (performance.now() - decodeFrom) / 1000;
  const figures = {
    backend: options.backend,
    weights: format,
    parameters: model.size,
    packedMatrices: model.formats.size,
    packed,
    largest,
    kept: backend.memory().tensorBytes,
    peak,
    held,
    seconds,
    ids,
    decodeSeconds,
  };
  const mb = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  if (options.json) console.log(JSON.stringify(figures));
  else
    console.log(
      `${figures.parameters.toLocaleString("en")} weights as ${format} on ${options.backend}: ${mb(packed)} packed, peak ${mb(peak)} ` +
        `(held by the backend ${mb(held)}; largest tensor as f32 ${mb(largest)}), ${seconds.toFixed(1)} s` +
        (ids.length > 0 ? `; ${ids.length} tokens in ${decodeSeconds.toFixed(1)} s: ${ids.join(" ")}` : ""),
    );
}

if (options.folder !== undefined) await measure(options.folder);
else {
  const folder = mkdtempSync(join(tmpdir(), "load-peak-"));
  try {
    if (options.shape === undefined) await writeRandomCheckpoint(folder, publishedShape(Number(options.params)));
    else await writeRandomModel(folder, hybrid(options.shape));
    // In a process of its own: what writing took does not count.
    const child = fork(import.meta.filename, [...process.argv.slice(2), "--folder", folder], {
      execArgv: process.execArgv,
    });
    process.exitCode = await new Promise<number>((resolve) => child.once("exit", (code) => resolve(code ?? 1)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
