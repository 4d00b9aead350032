/** `usual`: Mamba learns the task in seconds on one core. `small`: cheaper, for phones and emulated graphics; it needs more steps and errs more. */
export const SIZES = {
  usual: { dModel: 32, dState: 16, nLayer: 2, batch: 32, learningRate: 4e-3 },
  small: { dModel: 16, dState: 8, nLayer: 2, batch: 16, learningRate: 1e-2 },
} as const;
export type ModelSize = keyof typeof SIZES;
