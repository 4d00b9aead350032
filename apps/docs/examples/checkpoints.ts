import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  checkpointBlobs,
  CONFIG_FILE,
  folderSource,
  GENERATION_CONFIG_FILE,
  openCheckpoint,
  saveCheckpoint,
} from "@statespace/files";

const folder = await mkdtemp(join(tmpdir(), "checkpoint-"));
const content = {
  config: { model_type: "mine" },
  tensors: new Map([["w", { shape: [2], values: Float32Array.of(1, 2) }]]),
};
await saveCheckpoint(folder, content);
const checkpoint = await openCheckpoint(folderSource(folder));
console.log(checkpoint.config, [...checkpointBlobs(content).keys()], CONFIG_FILE, GENERATION_CONFIG_FILE);
