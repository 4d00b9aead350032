import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundledCheckpoint, load } from "statespace";
import {
  activeAdapter,
  Adapter,
  adapterFiles,
  adapterObjective,
  adapterTensors,
  addAdapter,
  loadAdapter,
  saveAdapter,
} from "@statespace/models";

const { model } = await load(bundledCheckpoint(), { backend: "cpu" });
const adapter = await addAdapter(model, { rank: 2, targetModules: ["in_proj"] }); // it changes nothing before it is trained
console.log(adapter instanceof Adapter, activeAdapter(model) === adapter, adapter.size, "weights that learn");
console.log(adapterObjective(adapter).parameters.length, (await adapterTensors(adapter)).size, [
  ...(await adapterFiles(adapter)).keys(),
]);
const folder = join(await mkdtemp(join(tmpdir(), "adapter-")), "lora");
await saveAdapter(adapter, folder); // what PEFT loads
adapter.dispose();
console.log((await loadAdapter(model, folder)).size);
