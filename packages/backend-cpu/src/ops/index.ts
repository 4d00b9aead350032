import { aliasKernels, type KernelTable } from "@statespace/core";
import type { CpuBackend } from "../backend.ts";
import { adamW } from "./adamW/forward.ts";
import { binaryKernels } from "./base/binary.ts";
import { indexingKernels } from "./base/indexing.ts";
import { makeKernels } from "./base/make.ts";
import { matMulKernels } from "./base/matMul.ts";
import { movementKernels } from "./base/movement.ts";
import { reduceKernels } from "./base/reduce.ts";
import { unaryKernels } from "./base/unary.ts";
import { cauchyGrad } from "./cauchy/backward.ts";
import { cauchy } from "./cauchy/forward.ts";
import { causalAttentionGrad } from "./causalAttention/backward.ts";
import { causalAttention } from "./causalAttention/forward.ts";
import { causalAttentionStep } from "./causalAttention/step.ts";
import { causalConv1dGrad } from "./causalConv1d/backward.ts";
import { causalConv1d, causalConv1dStep } from "./causalConv1d/forward.ts";
import { copy } from "./copy/forward.ts";
import { crossEntropyGrad } from "./crossEntropy/backward.ts";
import { crossEntropy } from "./crossEntropy/forward.ts";
import { diagonalScanGrad } from "./diagonalScan/backward.ts";
import { diagonalScan } from "./diagonalScan/forward.ts";
import { embeddingGrad } from "./embedding/backward.ts";
import { embedding } from "./embedding/forward.ts";
import { fftConvGrad } from "./fftConv/backward.ts";
import { fftConv } from "./fftConv/forward.ts";
import { inverseRealFftGrad } from "./inverseRealFft/backward.ts";
import { inverseRealFft } from "./inverseRealFft/forward.ts";
import { layerNormGrad } from "./layerNorm/backward.ts";
import { layerNorm } from "./layerNorm/forward.ts";
import { linearGrad } from "./linear/backward.ts";
import { linear } from "./linear/forward.ts";
import { mamba3ScanGrad } from "./mamba3Scan/backward.ts";
import { mamba3Scan, mamba3ScanStep } from "./mamba3Scan/forward.ts";
import { rmsNormGrad } from "./rmsNorm/backward.ts";
import { rmsNorm } from "./rmsNorm/forward.ts";
import { sampleToken } from "./sampleToken/forward.ts";
import { selectiveScanGrad } from "./selectiveScan/backward.ts";
import { selectiveScan, selectiveScanStep } from "./selectiveScan/forward.ts";
import { ssdScanGrad } from "./ssdScan/backward.ts";
import { ssdScan, ssdScanStep } from "./ssdScan/forward.ts";
import { sumSquares } from "./sumSquares/forward.ts";
import { vandermondeGrad } from "./vandermonde/backward.ts";
import { vandermonde } from "./vandermonde/forward.ts";

/** Every kernel of this backend by name. */
export const cpuKernels: KernelTable<CpuBackend> = {
  ...(aliasKernels as KernelTable<CpuBackend>),
  ...makeKernels,
  ...unaryKernels,
  ...binaryKernels,
  ...reduceKernels,
  ...movementKernels,
  ...indexingKernels,
  ...matMulKernels,
  adamW,
  cauchy,
  cauchyGrad,
  causalAttention,
  causalAttentionGrad,
  causalAttentionStep,
  causalConv1d,
  causalConv1dGrad,
  causalConv1dStep,
  copy,
  crossEntropy,
  crossEntropyGrad,
  diagonalScan,
  diagonalScanGrad,
  embedding,
  embeddingGrad,
  fftConv,
  fftConvGrad,
  inverseRealFft,
  inverseRealFftGrad,
  layerNorm,
  layerNormGrad,
  linear,
  linearGrad,
  mamba3Scan,
  mamba3ScanGrad,
  mamba3ScanStep,
  rmsNorm,
  rmsNormGrad,
  sampleToken,
  selectiveScan,
  selectiveScanGrad,
  selectiveScanStep,
  ssdScan,
  ssdScanGrad,
  ssdScanStep,
  sumSquares,
  vandermonde,
  vandermondeGrad,
};
