import { requireInteger } from "../arguments.ts";

/** Zero crossings of the kernel on each side, at the lower rate. */
const CROSSINGS = 16;
/** Steps between two samples for which the kernel is tabled. */
const PHASES = 512;

/**
 * Sound at another rate, by a sinc under a Hann window, cut off at half the lower rate; one channel.
 *
 * Returns [round(n to / from)]. Errors: `ArgumentError` unless both rates are positive whole numbers.
 * Source: J. O. Smith, Digital Audio Resampling (ccrma.stanford.edu/~jos/resample), section "Theory of ideal bandlimited interpolation".
 */
export function resample(samples: Float32Array, from: number, to: number): Float32Array {
  requireInteger("resample", "from", from, 1);
  requireInteger("resample", "to", to, 1);
  if (from === to) return samples.slice();
  const cut = Math.min(1, to / from);
  const reach = CROSSINGS / cut;
  const taps = 2 * Math.ceil(reach);
  const table = kernel(cut, reach, taps);
  return Float32Array.from({ length: Math.round((samples.length * to) / from) }, (_, i) => {
    const at = (i * from) / to;
    const whole = Math.floor(at);
    const row = Math.round((at - whole) * PHASES) * taps;
    const first = whole - taps / 2 + 1;
    let value = 0;
    for (let k = Math.max(0, -first); k < taps && first + k < samples.length; k++)
      value += table[row + k]! * samples[first + k]!;
    return value;
  });
}

/** Weights of the samples around each phase, [PHASES + 1, taps]. */
function kernel(cut: number, reach: number, taps: number): Float64Array {
  const table = new Float64Array((PHASES + 1) * taps);
  for (let phase = 0; phase <= PHASES; phase++)
    for (let k = 0; k < taps; k++) {
      const x = k - taps / 2 + 1 - phase / PHASES;
      if (Math.abs(x) >= reach) continue;
      const angle = Math.PI * x * cut;
      const sinc = x === 0 ? 1 : Math.sin(angle) / angle;
      table[phase * taps + k] = cut * sinc * (0.5 + 0.5 * Math.cos((Math.PI * x) / reach));
    }
  return table;
}
