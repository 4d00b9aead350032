import { aliasKernels, type KernelTable } from "@statespace/core";
import type { WasmBackend } from "../backend.ts";
import { adamW } from "./adamW/index.ts";
import { binaryKernels } from "./binary/index.ts";
import { cauchy, cauchyGrad } from "./cauchy/index.ts";
import { causalAttention, causalAttentionGrad } from "./causalAttention/index.ts";
import { causalAttentionStep } from "./causalAttention/step.ts";
import { causalConv1d, causalConv1dGrad, causalConv1dStep } from "./causalConv1d/index.ts";
import { copy } from "./copy/index.ts";
import { crossEntropy, crossEntropyGrad } from "./crossEntropy/index.ts";
import { diagonalScan, diagonalScanGrad } from "./diagonalScan/index.ts";
import { embedding, embeddingGrad } from "./embedding/index.ts";
import { fftConv, fftConvGrad } from "./fftConv/index.ts";
import { inverseRealFft, inverseRealFftGrad } from "./inverseRealFft/index.ts";
import { layerNorm, layerNormGrad } from "./layerNorm/index.ts";
import { linear, linearGrad } from "./linear/index.ts";
import { mamba3Scan, mamba3ScanGrad, mamba3ScanStep } from "./mamba3Scan/index.ts";
import { matMulKernels } from "./matMul/index.ts";
import { moveKernels } from "./movement/index.ts";
import { reduceKernels } from "./reduce/index.ts";
import { rmsNorm, rmsNormGrad } from "./rmsNorm/index.ts";
import { sampleToken } from "./sampleToken/index.ts";
import { selectiveScan, selectiveScanGrad, selectiveScanStep } from "./selectiveScan/index.ts";
import { ssdScan, ssdScanGrad, ssdScanStep } from "./ssdScan/index.ts";
import { sumSquares } from "./sumSquares/index.ts";
import { unaryKernels } from "./unary/index.ts";
import { vandermonde, vandermondeGrad } from "./vandermonde/index.ts";

/** Every kernel of this backend by name. */
export const wasmKernels: KernelTable<WasmBackend> = {
  ...(aliasKernels as KernelTable<WasmBackend>),
  ...unaryKernels,
  ...binaryKernels,
  ...moveKernels,
  ...reduceKernels,
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
