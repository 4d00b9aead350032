import type { NoiseKind } from "@statespace/datasets";

/** Kinds of noise that a denoiser is measured on, and is never trained on. */
export const HELD_OUT_NOISES: readonly NoiseKind[] = ["wind", "rain", "engine", "typing"];
