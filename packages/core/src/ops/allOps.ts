import type { Op } from "../tensor/index.ts";
import { adamW } from "./adamW/spec.ts";
import { cauchy } from "./cauchy/spec.ts";
import { causalAttention } from "./causalAttention/spec.ts";
import { causalAttentionStep } from "./causalAttention/stepSpec.ts";
import { causalConv1d, causalConv1dStep } from "./causalConv1d/spec.ts";
import { copy } from "./copy/spec.ts";
import { crossEntropy } from "./crossEntropy/spec.ts";
import { diagonalScan } from "./diagonalScan/spec.ts";
import { embedding } from "./embedding/spec.ts";
import { fftConv } from "./fftConv/spec.ts";
import { inverseRealFft } from "./inverseRealFft/spec.ts";
import { layerNorm } from "./layerNorm/spec.ts";
import { linear } from "./linear/spec.ts";
import { mamba3Scan, mamba3ScanStep } from "./mamba3Scan/spec.ts";
import { rmsNorm } from "./rmsNorm/spec.ts";
import { sampleToken } from "./sampleToken/spec.ts";
import { selectiveScan, selectiveScanStep } from "./selectiveScan/spec.ts";
import { ssdScan, ssdScanStep } from "./ssdScan/spec.ts";
import { sumSquares } from "./sumSquares/spec.ts";
import { vandermonde } from "./vandermonde/spec.ts";

/** An op whose types do not matter to the caller: conformance, the support table, the API reference. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyOp = Op<any, any, any>;

/** Every op by kernel name. */
export const allOps: Readonly<Record<string, AnyOp>> = {
  adamW,
  cauchy,
  causalAttention,
  causalAttentionStep,
  causalConv1d,
  causalConv1dStep,
  copy,
  crossEntropy,
  diagonalScan,
  embedding,
  fftConv,
  inverseRealFft,
  layerNorm,
  linear,
  mamba3Scan,
  mamba3ScanStep,
  rmsNorm,
  sampleToken,
  selectiveScan,
  selectiveScanStep,
  ssdScan,
  ssdScanStep,
  sumSquares,
  vandermonde,
};
