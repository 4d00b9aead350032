export { hippoRankCorrection, makeNplr, nplrToDense, nplrToReal } from "./nplr.ts";
export type { Nplr } from "./nplr.ts";
export {
  basisNorms,
  makeHippo,
  makeHippoFourier,
  makeHippoFourierOscillators,
  makeHippoLagT,
  makeHippoLegS,
  makeHippoLegT,
} from "./transition.ts";
export type { HippoForm, HippoMatrices, HippoMeasure } from "./transition.ts";
export { fourierBasis, gaussLegendre, hippoBasis, laguerreBasis, legendreBasis } from "./basis.ts";
export { LegSMemory } from "./legsMemory.ts";
export type { LegSMethod } from "./legsMemory.ts";
export { WindowMemory } from "./windowMemory.ts";
export type { WindowMeasure } from "./windowMemory.ts";
