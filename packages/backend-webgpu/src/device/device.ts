import { BackendError } from "@statespace/core";

/** What the kernels choose their paths by. */
export interface DeviceTraits {
  /** e.g. "nvidia NVIDIA H100". */
  readonly name: string;
  /** Not a card, but a program that stands in for one. */
  readonly software: boolean;
  /** Smallest and largest subgroup the device may pick; 0 where subgroups are not offered. */
  readonly subgroupMin: number;
  readonly subgroupMax: number;
  readonly f16: boolean;
  readonly timestamps: boolean;
  readonly maxBinding: number;
  readonly maxBufferSize: number;
  readonly maxWorkgroupMemory: number;
  readonly maxInvocations: number;
  readonly maxStorageBuffers: number;
  readonly offsetAlignment: number;
  /** Workgroups along one axis of a dispatch. */
  readonly maxGrid: number;
}

/** How the GPU is chosen and what of it is used. */
export interface DeviceOptions {
  readonly powerPreference?: "low-power" | "high-performance";
  /** Stay at WebGPU's default limits and without optional features: what the smallest devices offer. For tests. */
  readonly minimal?: boolean;
  /** Use `subgroups` where offered; default true. */
  readonly subgroups?: boolean;
  /** Pretend that a binding holds at most so many bytes; for tests of the splitting paths. */
  readonly maxBinding?: number;
  /** Pretend that a dispatch has at most so many workgroups along an axis; for tests of dispatches in parts. */
  readonly maxGrid?: number;
  /** Ask for at most so many storage buffers a stage (8 at least); for tests of what a browser offers. */
  readonly maxStorageBuffers?: number;
}

/** Whether an adapter is a program that stands in for a card: what a browser flags, or a name of those there are. */
export function isSoftware({
  vendor,
  architecture,
  device,
  description,
  isFallbackAdapter,
}: Partial<GPUAdapterInfo> & { readonly isFallbackAdapter?: boolean }): boolean {
  const names = [vendor, architecture, device, description].join(" ");
  return isFallbackAdapter === true || /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i.test(names);
}

const raisedLimits = [
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxStorageBuffersPerShaderStage",
] as const;

/** Opens the best adapter and asks for all of the limits that the kernels can use. @throws BackendError without an adapter. */
export async function openDevice(
  gpu: GPU,
  options: DeviceOptions = {},
): Promise<{ device: GPUDevice; traits: DeviceTraits }> {
  const adapter = await gpu.requestAdapter({ powerPreference: options.powerPreference ?? "high-performance" });
  if (!adapter) throw new BackendError("webgpu: no adapter (no GPU, or its driver is blocked)");
  const wanted: GPUFeatureName[] = options.minimal ? [] : ["shader-f16", "timestamp-query"];
  if (!options.minimal && options.subgroups !== false) wanted.push("subgroups" as GPUFeatureName);
  const requiredLimits: Record<string, number> = {};
  if (!options.minimal) for (const name of raisedLimits) requiredLimits[name] = adapter.limits[name];
  if (options.maxStorageBuffers)
    requiredLimits.maxStorageBuffersPerShaderStage = Math.min(
      options.maxStorageBuffers,
      adapter.limits.maxStorageBuffersPerShaderStage,
    );
  const device = await adapter.requestDevice({
    requiredFeatures: wanted.filter((name) => adapter.features.has(name)),
    requiredLimits,
  });
  const { limits } = device;
  const info = adapter.info as GPUAdapterInfo & { subgroupMinSize?: number; subgroupMaxSize?: number };
  const subgroups = device.features.has("subgroups" as GPUFeatureName);
  const traits: DeviceTraits = {
    name: `${info.vendor} ${info.description || info.device || info.architecture}`.trim(),
    software: isSoftware(info),
    subgroupMin: subgroups ? (info.subgroupMinSize ?? 4) : 0,
    subgroupMax: subgroups ? (info.subgroupMaxSize ?? 128) : 0,
    f16: device.features.has("shader-f16"),
    timestamps: device.features.has("timestamp-query"),
    maxBinding: Math.min(options.maxBinding ?? Infinity, limits.maxStorageBufferBindingSize),
    maxBufferSize: limits.maxBufferSize,
    maxWorkgroupMemory: limits.maxComputeWorkgroupStorageSize,
    maxInvocations: limits.maxComputeInvocationsPerWorkgroup,
    maxStorageBuffers: limits.maxStorageBuffersPerShaderStage,
    offsetAlignment: limits.minStorageBufferOffsetAlignment,
    maxGrid: Math.min(options.maxGrid ?? Infinity, limits.maxComputeWorkgroupsPerDimension),
  };
  return { device, traits };
}
