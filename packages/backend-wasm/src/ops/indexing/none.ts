import type { TensorInfo } from "@statespace/core/backend";

/** Bits of a float32 that is no number. */
export const NAN_BITS = 0x7fc00000;

/** What stands where an id is none of the axis: NaN among floats, 0 among whole numbers. */
export function noneOf({ dtype }: TensorInfo): number {
  return dtype === "float32" ? NAN_BITS : 0;
}
