import { cpuBackend, currentBackendName, tensor, wasmBackend, withBackend } from "statespace";

await withBackend(cpuBackend(), async () => {
  console.log(currentBackendName(), await tensor([1, 2]).data());
});
await withBackend(wasmBackend({ threads: 1 }), async () => console.log(currentBackendName()));
console.log(currentBackendName()); // undefined: outside, nothing has changed
