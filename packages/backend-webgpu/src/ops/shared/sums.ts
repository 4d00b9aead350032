import type { DeviceTraits } from "../../device/device.ts";

/** How shaders with a variant SUMS add up over threads: by shuffles where sets of 32 threads share a subgroup. */
export function sumsOf({ subgroupMin }: DeviceTraits): "workgroup" | "subgroup" {
  return subgroupMin >= 32 ? "subgroup" : "workgroup";
}
