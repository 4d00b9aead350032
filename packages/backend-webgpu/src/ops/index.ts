import { aliasKernels, type KernelTable } from "@statespace/core/backend";
import type { WebGpuBackend } from "../backend.ts";
import { recorded } from "./recorded.ts";
import * as rooms from "./rooms.ts";
import { splitting } from "./splitting.ts";

/** Every kernel of this backend by name. */
export const webGpuKernels: KernelTable<WebGpuBackend> = recorded({
  ...(aliasKernels as KernelTable<WebGpuBackend>),
  ...splitting(Object.assign({}, ...Object.values(rooms))),
});
