export * from "./aliasKernels.ts";
export * from "./backend.ts";
export {
  currentBackend,
  currentBackendName,
  hasKernel,
  pickBackend,
  setBackend,
  withBackend,
  type BackendChoice,
  type WithBackend,
} from "./current.ts";
export * from "./kernel.ts";
export * from "./packing.ts";
export {
  onRecovery,
  registerBackend,
  registeredBackends,
  startBackend,
  stopBackend,
  type AnyBackend,
  type BackendDefinition,
} from "./registry.ts";
export type { Block, Entry } from "./storage.ts";
export * from "./types.ts";
