import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { bundledCheckpoint, load } from "statespace";
import { folderSource, GgufStrings, layoutGguf, locateGguf, openGguf } from "@statespace/files";
import { ggufBlob, saveGguf } from "@statespace/models";

const folder = await mkdtemp(join(tmpdir(), "gguf-"));
const lm = await load(bundledCheckpoint(), { backend: "cpu" });
await saveGguf(lm.model, join(folder, "mamba.gguf"), { weights: "q8" }); // what llama.cpp loads
console.log((await ggufBlob(lm.model)).size, locateGguf(join(folder, "mamba.gguf")) !== undefined);
const file = (await openGguf(folderSource(folder), "mamba.gguf"))!;
console.log(basename(folder).slice(0, 5), file.entries.size, "tensors", GgufStrings.of(["a", "b"]).toArray());
console.log(
  layoutGguf(new Map([["general.name", { type: "string", value: "tiny" }]]), new Map()).byteLength,
  "bytes without a tensor",
);
