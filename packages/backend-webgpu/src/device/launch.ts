import type { Binding } from "../shader/binding.ts";
import type { DeviceBuffer } from "../shader/gpuTypes.ts";
import type { Pipeline } from "./pipelines.ts";

/** One dispatch, complete: it can run now and again later on the same buffers. */
export interface Dispatch {
  readonly kind: "dispatch";
  readonly pipeline: Pipeline;
  /** The uniform block, in u32 words. */
  readonly params: readonly number[];
  readonly bindings: readonly Binding[];
  readonly grid: readonly [number, number, number];
}

/** A buffer-to-buffer copy; offsets and size in bytes, multiples of 4. */
export interface Copy {
  readonly kind: "copy";
  readonly from: DeviceBuffer;
  readonly fromOffset: number;
  readonly to: DeviceBuffer;
  readonly toOffset: number;
  readonly bytes: number;
}

export type Launch = Dispatch | Copy;

const maxGridExtent = 65_535;

/** A grid of at least `groups` workgroups, folded into y where x would pass the limit; shaders read x + y * gridX. */
export function foldGrid(groups: number): [number, number, number] {
  if (groups <= maxGridExtent) return [Math.max(1, groups), 1, 1];
  const x = 32_768;
  return [x, Math.ceil(groups / x), 1];
}
