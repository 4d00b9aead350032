import { aliasKernels, type KernelTable } from "@statespace/core/backend";
import type { WasmBackend } from "../backend.ts";
import * as rooms from "./rooms.ts";

/** Every kernel of this backend by name. */
export const wasmKernels: KernelTable<WasmBackend> = Object.assign({}, aliasKernels, ...Object.values(rooms));
