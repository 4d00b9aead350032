/** How captured graphs are made; the bench tries the others. */
export const replayWishes: {
  /** Parameters written into the shaders. */
  bake: boolean;
  /** The step with its projections in one dispatch or two, so many channels a workgroup. */
  wholeStep: boolean;
  channels: number;
} = { bake: false, wholeStep: true, channels: 32 };
