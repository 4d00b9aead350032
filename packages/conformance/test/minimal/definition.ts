import type { BackendDefinition } from "@statespace/core";
import { MinimalBackend } from "./backend.ts";
import { minimalKernels } from "./kernels.ts";

const create = (): MinimalBackend => new MinimalBackend();

/** The backend `minimal`. */
export function minimalBackend(): BackendDefinition {
  return { name: "minimal", create, kernels: minimalKernels };
}
