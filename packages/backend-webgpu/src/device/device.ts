import { ArgumentError, BackendError } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";

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
  /** Matrix units that multiply 16 x 16 half floats and add up in f32 (`chromium-experimental-subgroup-matrix`). */
  readonly matrix: boolean;
  /** Whether scans in chunks use them. */
  readonly matrixScans: boolean;
  /** What the device offers and is not used, since a check found it wrong: a line each. */
  readonly refused: readonly string[];
}

/**
 * To what precision float32 matrices are multiplied, in PyTorch's words. It tells apart only devices with matrix units, and there only
 * products large enough for them, and what the chunks of a scan add to its states; everything else is f32 throughout.
 *
 * - `highest`: f32.
 * - `high`: each operand as a sum of two half floats, three products on the matrix units, f32 sums. A product errs by some 2^-21 of the sum
 *   of its terms' magnitudes (f32: 2^-24 a rounding), and k terms of one sign by up to k 2^-28, since the units round toward zero; a value smaller
 *   than 2^-17 of the largest of its 32 rows is good to 2^-39 of that.
 * - `medium`: each operand rounded to one half float (2^-12 of each value), f32 sums. Matrices are scaled so that none overflows. Scans as in `high`.
 */
export type Precision = "highest" | "high" | "medium";

export const precisions: readonly Precision[] = ["highest", "high", "medium"];

/** How the GPU is chosen and what of it is used. */
export interface DeviceOptions {
  readonly powerPreference?: "low-power" | "high-performance";
  /** How exactly matrices are multiplied; default "highest". */
  readonly precision?: Precision;
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

const OPTIONS: Readonly<Record<keyof DeviceOptions, true>> = {
  powerPreference: true,
  precision: true,
  minimal: true,
  subgroups: true,
  maxBinding: true,
  maxStorageBuffers: true,
  maxGrid: true,
};

/** @throws ArgumentError for an unknown option, or a precision there is none of. */
export function checkDeviceOptions(options: DeviceOptions): void {
  refuseUnknown("webGpuBackend", options, Object.keys(OPTIONS), { power: "powerPreference" });
  const { precision } = options;
  if (precision !== undefined && !precisions.includes(precision))
    throw new ArgumentError(`webGpuBackend: precision must be ${precisions.join(" or ")}, got ${String(precision)}`);
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

const subgroupMatrix = "chromium-experimental-subgroup-matrix" as GPUFeatureName;

/** A shape that an adapter's matrix units multiply; not yet in TypeScript's library. */
interface MatrixShape {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** Workgroup memory of the largest tile of `matMul/matrix`. */
const matrixTileBytes = 40_960;

/** Workgroup memory of `ssdScan/chunkStatesHalves`. */
const matrixScanBytes = 41_984;

/** Whether the matrix units take the shape that the kernels use, in subgroups of the size that they count on. */
function hasMatrixUnits(device: GPUDevice, info: AdapterFacts): boolean {
  if (!device.features.has(subgroupMatrix) || !device.features.has("shader-f16")) return false;
  if (info.subgroupMinSize !== 32 || info.subgroupMaxSize !== 32) return false;
  const shapes = [...(info.subgroupMatrixConfigs ?? [])];
  return (
    device.limits.maxComputeWorkgroupStorageSize >= matrixTileBytes &&
    shapes.some(
      ({ componentType, resultComponentType, M, N, K }) =>
        componentType === "f16" && resultComponentType === "f32" && M === 16 && N === 16 && K === 16,
    )
  );
}

/** What an adapter says of itself beyond TypeScript's library. */
type AdapterFacts = GPUAdapterInfo & {
  readonly subgroupMinSize?: number;
  readonly subgroupMaxSize?: number;
  readonly subgroupMatrixConfigs?: Iterable<MatrixShape>;
};

/** Opens the best adapter and asks for all of the limits that the kernels can use. @throws BackendError without an adapter. */
export async function openDevice(
  gpu: GPU,
  options: DeviceOptions = {},
): Promise<{ device: GPUDevice; traits: DeviceTraits }> {
  const adapter = await gpu.requestAdapter({ powerPreference: options.powerPreference ?? "high-performance" });
  if (!adapter) throw new BackendError("webgpu: no adapter (no GPU, or its driver is blocked)");
  const wanted: GPUFeatureName[] = options.minimal ? [] : ["shader-f16", "timestamp-query"];
  if (!options.minimal && options.subgroups !== false) {
    wanted.push("subgroups" as GPUFeatureName);
    if ((options.precision ?? "highest") !== "highest") wanted.push(subgroupMatrix);
  }
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
  const info = adapter.info as AdapterFacts;
  const subgroups = device.features.has("subgroups" as GPUFeatureName);
  const matrix = hasMatrixUnits(device, info);
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
    matrix,
    matrixScans: matrix && limits.maxComputeWorkgroupStorageSize >= matrixScanBytes,
    refused: [],
  };
  return { device, traits };
}
