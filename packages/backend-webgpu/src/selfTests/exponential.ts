import { runOnce, THREADS } from "./runOnce.ts";
import type { SelfTest } from "./selfTest.ts";

const inputs = Float32Array.from({ length: THREADS }, (_, i) => (i === 0 ? 0 : (i % 2 ? -1 : 1) * 1.18 ** (i - 36)));

/** The exponential is as exact as WGSL asks for: 3 + 2 |x| units in the last place. There is nothing to go on with instead, so it is only told. */
export const exponential: SelfTest = {
  part: "exp",
  applies: () => true,
  async run({ device }) {
    const y = await runOnce(
      device,
      "",
      `fn main(@builtin(local_invocation_index) i: u32) {
  y[i] = exp(x[i]);
}`,
      inputs,
    );
    for (let i = 0; i < THREADS; i++) {
      const [x, want] = [inputs[i]!, Math.exp(inputs[i]!)];
      const bound = (4 + 2 * Math.abs(x)) * 2 ** -23 * want;
      // Below the smallest normal number a device may give 0.
      if (!(Math.abs(y[i]! - want) <= bound || (want < 2 ** -126 && y[i]! < 2 ** -125)))
        return `exp(${x}) is ${y[i]}, not ${want}`;
    }
    return undefined;
  },
};
