export * from "@statespace/core";
export { cpuBackend } from "@statespace/backend-cpu";
export { wasmBackend } from "@statespace/backend-wasm";
export { webGpuBackend } from "@statespace/backend-webgpu";
export * from "@statespace/models";
export * as datasets from "@statespace/datasets";
export { bundledCheckpoint } from "./bundledCheckpoint.ts";
export { PREFERENCE, registerAllBackends } from "./registerAllBackends.ts";
