import { runOnce, THREADS } from "./runOnce.ts";
import type { SelfTest } from "./selfTest.ts";

const inputs = Float32Array.from({ length: THREADS }, (_, i) => (7 * i) % 31);

/** Threads that say they are of one subgroup: their sum is that of their values, and there are as many as the device says there may be. */
export const subgroups: SelfTest = {
  part: "subgroups",
  applies: ({ traits }) => traits.subgroupMax > 0,
  async run({ device, traits }) {
    const y = await runOnce(
      device,
      "enable subgroups;",
      `fn main(@builtin(local_invocation_index) i: u32, @builtin(subgroup_size) size: u32) {
  y[i] = subgroupAdd(x[i]);
  y[i + ${THREADS}u] = subgroupMax(x[i]);
  y[i + ${2 * THREADS}u] = f32(subgroupBroadcastFirst(i));
  y[i + ${3 * THREADS}u] = f32(size);
}`,
      inputs,
    );
    const groups = new Map<number, number[]>();
    for (const i of inputs.keys()) {
      const first = y[i + 2 * THREADS]!;
      groups.set(first, [...(groups.get(first) ?? []), i]);
    }
    for (const [first, members] of groups) {
      const size = y[members[0]! + 3 * THREADS]!;
      if (!(size >= traits.subgroupMin && size <= traits.subgroupMax))
        return `a subgroup of ${size}, where the device has ${traits.subgroupMin} to ${traits.subgroupMax}`;
      if (members.length > size || !members.includes(first))
        return `${members.length} threads in a subgroup of ${size}`;
      const values = members.map((i) => inputs[i]!);
      const [sum, largest] = [values.reduce((a, b) => a + b, 0), Math.max(...values)];
      for (const i of members)
        if (y[i] !== sum || y[i + THREADS] !== largest)
          return `a sum of ${y[i]} and a largest of ${y[i + THREADS]}, not ${sum} and ${largest}`;
    }
    return undefined;
  },
};
