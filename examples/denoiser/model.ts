import { featuresOf, type ModelConfig } from "@statespace/models";

const FRAMING = { sampleRate: 16_000, window: 512, hop: 256, compression: 0.3 } as const;

/** Four Mamba-2 layers over the spectra of frames of 32 ms. */
export const denoiser: ModelConfig = {
  dModel: 160,
  encoder: { kind: "linear", channels: featuresOf(FRAMING) },
  layers: Array.from({ length: 4 }, () => ({ kind: "mamba2", expand: 2, headDim: 32, dState: 64 })),
  norm: "rms",
  head: { kind: "denoising", ...FRAMING },
};
