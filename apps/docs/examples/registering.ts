import {
  cpuBackend,
  currentBackendName,
  pickBackend,
  PREFERENCE,
  registerBackend,
  wasmBackend,
  webGpuBackend,
} from "statespace";

for (const backend of [cpuBackend(), wasmBackend({ threads: 1 }), webGpuBackend()]) registerBackend(backend);
console.log("of", PREFERENCE, "this machine runs", await pickBackend(["wasm", "cpu"]), currentBackendName());
