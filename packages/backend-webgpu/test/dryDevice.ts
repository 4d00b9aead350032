import type { BackendDefinition } from "@statespace/core";
import { patterns } from "../src/fusion/index.ts";
import { WebGpuBackend, webGpuKernels, type DeviceTraits } from "../src/index.ts";

/** Traits of an H100 through Dawn. */
const largeGpu: DeviceTraits = {
  name: "dry",
  software: true,
  subgroupMin: 32,
  subgroupMax: 32,
  f16: true,
  timestamps: false,
  maxBinding: 2 ** 31 - 4,
  maxBufferSize: 2 ** 40,
  maxWorkgroupMemory: 49_152,
  maxInvocations: 1024,
  maxStorageBuffers: 16,
  offsetAlignment: 16,
  maxGrid: 65_535,
  matrix: false,
  matrixScans: false,
  refused: [],
};

/**
 * A device that takes every command and runs none, and whose buffers have sizes but no bytes: what a large GPU would be asked for can
 * then be seen without one. Nothing can be read.
 */
function dryDevice(): GPUDevice {
  const nothing = (): void => {};
  const pass = { setPipeline: nothing, setBindGroup: nothing, dispatchWorkgroups: nothing, end: nothing };
  const device = {
    lost: new Promise(nothing),
    queue: { submit: nothing, writeBuffer: nothing },
    pushErrorScope: nothing,
    popErrorScope: async () => null,
    createBuffer: ({ size }: GPUBufferDescriptor) => ({ size, destroy: nothing }),
    createBindGroupLayout: () => ({}),
    createPipelineLayout: () => ({}),
    createShaderModule: () => ({}),
    createComputePipeline: () => ({}),
    createBindGroup: () => ({}),
    createCommandEncoder: () => ({ beginComputePass: () => pass, copyBufferToBuffer: nothing, finish: () => ({}) }),
    destroy: nothing,
  };
  return device as unknown as GPUDevice;
}

/** The backend on a dry device, under a name of its own. */
export function dryBackend(traits: Partial<DeviceTraits> = {}): BackendDefinition {
  return {
    name: "webgpu-dry",
    kernels: webGpuKernels,
    create: () => new WebGpuBackend(dryDevice(), { ...largeGpu, ...traits }, patterns),
  };
}
