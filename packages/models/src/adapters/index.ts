export { activeAdapter, Adapter } from "./adapter.ts";
export {
  adapterFiles,
  adapterTensors,
  loadAdapter,
  saveAdapter,
  type LoadAdapterOptions,
  type SaveAdapterOptions,
} from "./adapterFiles.ts";
export { adapterObjective, type AdapterObjectiveOptions } from "./adapterObjective.ts";
export { addAdapter, type AddAdapterOptions } from "./addAdapter.ts";
export type { LinearModule } from "./modules.ts";
export type { AdapterOptions, AdapterSettings } from "./settings.ts";
export { trainedParameters, type Freeze } from "./frozen.ts";
