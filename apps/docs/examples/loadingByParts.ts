import { bundledCheckpoint, cpuBackend, fromPretrained, savePretrained, setBackend } from "statespace";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  convert,
  loadGenerationConfig,
  loadWeights,
  parseGenerationConfig,
  readCacheType,
  readWeightFormat,
  withDefaults,
} from "@statespace/models";

await setBackend(cpuBackend());
const model = await fromPretrained(bundledCheckpoint()); // weights alone, without tokenizer
const folder = join(await mkdtemp(join(tmpdir(), "saved-")), "model");
await savePretrained(model, folder); // what transformers loads
await loadWeights(model, folder); // of another checkpoint of the same model
const { bytes } = (await convert(folder, `${folder}.gguf`, { weights: "q8" })) as { bytes?: number };
console.log(readWeightFormat("mine", "q8"), readWeightFormat("mine", "f32"), bytes ?? "converted");
console.log(readCacheType("mine", "f16"), readCacheType("mine", undefined)); // what these options may be, checked
console.log(
  await loadGenerationConfig(folder),
  withDefaults(parseGenerationConfig({ temperature: 0.7, do_sample: true }), { topK: 5 }),
);
