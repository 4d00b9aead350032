/** How sound is cut into frames, of which the model sees spectra. */
export interface FramingConfig {
  /** Samples a second that the model was trained at. */
  readonly sampleRate: number;
  /** Samples of a frame; also how late a sample comes out. */
  readonly window: number;
  /** Samples from frame to frame; divides `window` twice or more. */
  readonly hop: number;
  /** Power to which magnitudes are taken before the model sees them, and before its loss compares them. */
  readonly compression: number;
}

/** Frames of 32 ms, of which each shares half with the next. */
export const DEFAULT_FRAMING: FramingConfig = { sampleRate: 16_000, window: 512, hop: 256, compression: 0.3 };

/** With every default filled in. */
export function framingOf({
  sampleRate = DEFAULT_FRAMING.sampleRate,
  window = DEFAULT_FRAMING.window,
  hop = window / 2,
  compression = DEFAULT_FRAMING.compression,
}: Partial<FramingConfig>): FramingConfig {
  return { sampleRate, window, hop, compression };
}

/** Spectral bins of a frame, from 0 to half the sample rate. */
export const binsOf = ({ window }: Pick<FramingConfig, "window">): number => window / 2 + 1;

/** Numbers of a frame that the encoder takes: its compressed magnitudes, real and imaginary parts. */
export const featuresOf = (framing: Pick<FramingConfig, "window">): number => 3 * binsOf(framing);

/** Numbers of a frame that the head answers: the real and imaginary parts of what its bins are multiplied by. */
export const maskOf = (framing: Pick<FramingConfig, "window">): number => 2 * binsOf(framing);

/** The square root of a Hann window, periodic: once before and once after, so that frames that overlap add up to what they were cut from. */
function rootHann(window: number): Float64Array {
  return Float64Array.from({ length: window }, (_, i) => Math.sin((Math.PI * i) / window));
}

/**
 * The matrix of the windowed Fourier transform, [2 bins, window]: the real parts of all bins, then the imaginary ones. As `linear` takes a weight.
 */
export function analysisMatrix({ window }: FramingConfig): Float32Array {
  const bins = binsOf({ window });
  const taper = rootHann(window);
  const matrix = new Float32Array(2 * bins * window);
  for (let k = 0; k < bins; k++)
    for (let i = 0; i < window; i++) {
      const angle = (2 * Math.PI * ((k * i) % window)) / window;
      matrix[k * window + i] = taper[i]! * Math.cos(angle);
      matrix[(bins + k) * window + i] = -taper[i]! * Math.sin(angle);
    }
  return matrix;
}

/** The way back, [window, 2 bins]: frames windowed once more, such that their sum is the sound. */
export function synthesisMatrix({ window, hop }: FramingConfig): Float32Array {
  const bins = binsOf({ window });
  const taper = rootHann(window);
  const overlap = (2 * hop) / window; // squared Hann windows a hop apart add up to window / (2 hop)
  const matrix = new Float32Array(window * 2 * bins);
  for (let i = 0; i < window; i++)
    for (let k = 0; k < bins; k++) {
      const angle = (2 * Math.PI * ((k * i) % window)) / window;
      const share = ((k === 0 || k === bins - 1 ? 1 : 2) * taper[i]! * overlap) / window;
      matrix[i * 2 * bins + k] = share * Math.cos(angle);
      matrix[i * 2 * bins + bins + k] = -share * Math.sin(angle);
    }
  return matrix;
}
