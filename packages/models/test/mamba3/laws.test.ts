import { Mamba3Mixer, type Mamba3MixerConfig } from "../../src/index.ts";
import { describeMixerLaws } from "../laws.ts";

const base: Mamba3MixerConfig = {
  dModel: 4,
  dInner: 8,
  dState: 6,
  nHeads: 4,
  headDim: 2,
  nGroups: 1,
  chunkSize: 4,
  mimo: false,
  mimoRank: 1,
  nRopeAngles: 1,
  aFloor: 1e-4,
  aActivation: "heavyTail",
  outProjNorm: false,
  timeStepMin: 0.01,
  timeStepMax: 0.5,
  timeStepFloor: 1e-4,
};
const variants: Readonly<Record<string, Partial<Mamba3MixerConfig>>> = {
  "one input a head": {},
  "groups, softplus A, all pairs turned, a norm": {
    nGroups: 2,
    aActivation: "softplus",
    nRopeAngles: 3,
    outProjNorm: true,
  },
  "several inputs a head": { mimo: true, mimoRank: 3, nGroups: 2 },
  "several inputs a head, all pairs turned, a norm": {
    mimo: true,
    mimoRank: 2,
    nRopeAngles: 3,
    outProjNorm: true,
    nGroups: 2,
  },
};

for (const [name, change] of Object.entries(variants)) {
  // Angles lose two more digits than sums: an angle of 10 rounds by 10 x 2^-24, and turns every later token.
  describeMixerLaws(`Mamba-3, ${name}`, (build) => new Mamba3Mixer({ ...base, ...change }, build), {
    dModel: 4,
    roundings: 256,
  });
}
