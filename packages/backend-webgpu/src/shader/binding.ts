import type { DeviceBuffer } from "./gpuTypes.ts";

/** A range of a buffer as a shader sees it; `offset` is a multiple of the device's offset alignment. */
export interface Binding {
  readonly buffer: DeviceBuffer;
  readonly offset: number;
  readonly size: number;
}
