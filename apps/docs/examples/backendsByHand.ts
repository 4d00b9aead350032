import { CpuBackend, cpuBackend, cpuKernels } from "@statespace/backend-cpu";
import { WasmBackend, wasmBackend, wasmKernels } from "@statespace/backend-wasm";
import { WebGpuBackend, webGpuBackend, webGpuKernels } from "@statespace/backend-webgpu";
import { startBackend } from "@statespace/core/backend";

for (const [definition, Backend] of [
  [cpuBackend(), CpuBackend],
  [wasmBackend({ threads: 1 }), WasmBackend],
] as const) {
  const backend = await startBackend(definition);
  console.log(backend.name, backend.label, backend instanceof Backend);
}
console.log(
  [cpuKernels, wasmKernels, webGpuKernels].map((kernels) => Object.keys(kernels).length),
  "kernels",
);
const gpu = await startBackend(webGpuBackend()).catch((error: Error) => error.message); // where there is none, it says why
console.log(gpu instanceof WebGpuBackend ? gpu.label : gpu);
