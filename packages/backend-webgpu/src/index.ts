import { stopBackend, type BackendDefinition } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { WebGpuBackend } from "./backend.ts";
import { openDevice, type DeviceOptions } from "./device/device.ts";
import { requestGpu } from "./device/requestGpu.ts";
import { patterns } from "./fusion/index.ts";
import { webGpuKernels } from "./ops/index.ts";

export { WebGpuBackend } from "./backend.ts";
export type { DeviceOptions, DeviceTraits } from "./device/device.ts";
export type { KernelTime } from "./device/profiler.ts";
export { webGpuKernels } from "./ops/index.ts";
export type { DispatchRequest, ShaderName, ShaderRequest } from "./shader/types.ts";

const OPTIONS: Readonly<Record<keyof DeviceOptions, true>> = {
  powerPreference: true,
  minimal: true,
  subgroups: true,
  maxBinding: true,
  maxStorageBuffers: true,
  maxGrid: true,
};

/**
 * WebGPU, for `registerBackend(webGpuBackend())`: browsers through `navigator.gpu`, Node through the npm package `webgpu`.
 * A lost device rejects what is in flight with DeviceLostError and stops the backend; `setBackend("webgpu")` opens a new one.
 * @throws BackendError (from `setBackend`) where there is no adapter.
 */
export function webGpuBackend(options: DeviceOptions = {}): BackendDefinition<DeviceOptions> {
  refuseUnknown("webGpuBackend", options, Object.keys(OPTIONS), { power: "powerPreference" });
  return { name: "webgpu", options, create, kernels: webGpuKernels };
}

async function create(options: DeviceOptions = {}): Promise<WebGpuBackend> {
  const { device, traits } = await openDevice(await requestGpu(), options);
  const backend = new WebGpuBackend(device, traits, patterns);
  backend.onLost = () => stopBackend(backend);
  return backend;
}
