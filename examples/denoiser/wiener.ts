import { fft, ifft } from "@statespace/core/math";

const WINDOW = 512;
const HOP = 256;
const BINS = WINDOW / 2 + 1;
/** The ratio of signal to noise that speech has where there is speech: 15 dB. */
const SPEECH_RATIO = 10 ** 1.5;
/** No bin is made softer than this. */
const FLOOR = 10 ** (-15 / 20);

/**
 * What was done before networks: a Wiener filter, whose signal-to-noise ratio is carried on from the frame before, over a noise that is followed by
 * the probability of speech.
 * Source: Ephraim and Malah 1984 (the decision-directed ratio); Gerkmann and Hendriks 2012, "Unbiased MMSE-based noise power estimation".
 */
export function wiener(samples: Float32Array): Float32Array {
  const before = WINDOW - HOP;
  const frames = Math.ceil(samples.length / HOP) + 1;
  const padded = new Float64Array(before + frames * HOP);
  padded.set(samples, before);
  const out = new Float64Array(padded.length);
  const taper = Float64Array.from({ length: WINDOW }, (_, i) => Math.sin((Math.PI * i) / WINDOW));
  const noise = new Float64Array(BINS);
  const last = new Float64Array(BINS); // squared magnitudes of the speech of the frame before
  const presence = new Float64Array(BINS).fill(0.5);
  for (let frame = 0; frame < frames; frame++) {
    const re = padded.slice(frame * HOP, frame * HOP + WINDOW).map((value, i) => value * taper[i]!);
    const im = new Float64Array(WINDOW);
    fft(re, im);
    for (let k = 0; k < BINS; k++) {
      const power = re[k]! ** 2 + im[k]! ** 2 + 1e-12;
      if (frame < 5) noise[k]! += (power - noise[k]!) / (frame + 1);
      const odds = (1 + SPEECH_RATIO) * Math.exp((-power / noise[k]!) * (SPEECH_RATIO / (1 + SPEECH_RATIO)));
      let speech = 1 / (1 + odds);
      presence[k] = 0.9 * presence[k]! + 0.1 * speech;
      if (presence[k]! > 0.99) speech = Math.min(speech, 0.99); // or a noise that grew is never learnt
      noise[k] = 0.8 * noise[k]! + 0.2 * ((1 - speech) * power + speech * noise[k]!);
      const ratio = 0.98 * (last[k]! / noise[k]!) + 0.02 * Math.max(0, power / noise[k]! - 1);
      const gain = Math.max(FLOOR, ratio / (1 + ratio));
      last[k] = gain * gain * power;
      re[k]! *= gain;
      im[k]! *= gain;
      if (k > 0 && k < BINS - 1) {
        re[WINDOW - k] = re[k]!;
        im[WINDOW - k] = -im[k]!;
      }
    }
    ifft(re, im);
    for (let i = 0; i < WINDOW; i++) out[frame * HOP + i]! += re[i]! * taper[i]!;
  }
  return Float32Array.from(out.subarray(before, before + samples.length));
}
