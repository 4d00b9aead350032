import type { BackendDefinition } from "@statespace/core";
import { WebGpuBackend } from "./backend.ts";
import { checkDeviceOptions, openDevice, type DeviceOptions } from "./device/device.ts";
import { requestGpu } from "./device/requestGpu.ts";
import { patterns } from "./fusion/index.ts";
import { webGpuKernels } from "./ops/index.ts";
import { runSelfTests } from "./selfTests/index.ts";

export { WebGpuBackend } from "./backend.ts";
export type { DeviceOptions, DeviceTraits, Precision } from "./device/device.ts";
export type { KernelTime } from "./device/profiler.ts";
export { webGpuKernels } from "./ops/index.ts";
export type { DispatchRequest, ShaderName, ShaderRequest } from "./shader/types.ts";

/**
 * WebGPU, for `registerBackend(webGpuBackend())`: browsers through `navigator.gpu`, Node through the npm package `webgpu`.
 * A lost device rejects what is in flight, and every call after, with DeviceLostError; `await backend.recover()` opens a new one.
 * @throws ArgumentError for an unknown option; BackendError (from `setBackend`) where there is no adapter.
 */
export function webGpuBackend(options: DeviceOptions = {}): BackendDefinition<DeviceOptions> {
  checkDeviceOptions(options);
  return { name: "webgpu", options, create, kernels: webGpuKernels };
}

async function create(options: DeviceOptions = {}): Promise<WebGpuBackend> {
  checkDeviceOptions(options);
  const { device, traits } = await openDevice(await requestGpu(), options);
  const backend = new WebGpuBackend(device, traits, patterns, options.precision);
  await runSelfTests(backend);
  return backend;
}
