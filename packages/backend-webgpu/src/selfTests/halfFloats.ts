import { runOnce, THREADS } from "./runOnce.ts";
import type { SelfTest } from "./selfTest.ts";

/** Numbers whose half floats, and the sums of those with 1, are known: small, large, between two half floats, of both signs. */
const inputs = Float32Array.from({ length: THREADS }, (_, i) => (i % 2 ? -1 : 1) * (1 + i / 37) * 2 ** ((i % 24) - 12));

/** The distance of half floats around a number that is normal in them. */
const unitOf = (value: number): number => 2 ** (Math.floor(Math.log2(Math.abs(value || 1))) - 10);

/** Ten bits of the fraction, ties to even: what a half float keeps of such a number. */
function half(value: number): number {
  const unit = unitOf(value);
  const scaled = value / unit;
  const low = Math.floor(scaled);
  const rest = scaled - low;
  return unit * (rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1);
}

/** Half floats round a number, and their sum, to one of the two nearest. */
export const halfFloats: SelfTest = {
  part: "f16",
  applies: ({ traits }) => traits.f16,
  async run({ device }) {
    const y = await runOnce(
      device,
      "enable f16;",
      `fn main(@builtin(local_invocation_index) i: u32) {
  let h = f16(x[i]);
  y[i] = f32(h);
  y[i + ${THREADS}u] = f32(h + 1.0h);
}`,
      inputs,
    );
    for (let i = 0; i < THREADS; i++) {
      const rounded = half(inputs[i]!);
      const sum = half(rounded + 1);
      // WGSL leaves the direction of rounding open: one unit in the last place, and drivers may take f32(f16(x)) for x, so the sum is not
      // judged by the first result.
      for (const [what, got, want, off] of [
        ["rounded", y[i]!, rounded, unitOf(rounded)],
        ["plus 1", y[i + THREADS]!, sum, unitOf(rounded) + unitOf(sum)],
      ] as const)
        if (!(Math.abs(got - want) <= off)) return `${inputs[i]} ${what} is ${got} as a half float, not ${want}`;
    }
    return undefined;
  },
};
