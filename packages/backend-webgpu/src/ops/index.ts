import { aliasKernels, type KernelTable } from "@statespace/core";
import type { WebGpuBackend } from "../backend.ts";
import { adamW } from "./adamW/index.ts";
import { binaryKernels } from "./binary/index.ts";
import { cauchyKernels } from "./cauchy/index.ts";
import { causalAttentionKernels } from "./causalAttention/index.ts";
import { causalConv1dKernels } from "./causalConv1d/index.ts";
import { copy } from "./copy/index.ts";
import { crossEntropyKernels } from "./crossEntropy/index.ts";
import { diagonalScanKernels } from "./diagonalScan/index.ts";
import { embeddingKernels } from "./embedding/index.ts";
import { fftConvKernels } from "./fftConv/index.ts";
import { indexingKernels } from "./indexing/index.ts";
import { inverseRealFftKernels } from "./inverseRealFft/index.ts";
import { layerNormKernels } from "./layerNorm/index.ts";
import { linearKernels } from "./linear/index.ts";
import { makeKernels } from "./make/index.ts";
import { mamba3ScanKernels } from "./mamba3Scan/index.ts";
import { matMul } from "./matMul/index.ts";
import { movementKernels } from "./movement/index.ts";
import { recorded } from "./recorded.ts";
import { reduceKernels } from "./reduce/index.ts";
import { rmsNormKernels } from "./rmsNorm/index.ts";
import { sampleToken } from "./sampleToken/index.ts";
import { selectiveScanKernels } from "./selectiveScan/index.ts";
import { splitting } from "./splitting.ts";
import { ssdScanKernels } from "./ssdScan/index.ts";
import { sumSquares } from "./sumSquares/index.ts";
import { unaryKernels } from "./unary/index.ts";
import { vandermondeKernels } from "./vandermonde/index.ts";

/** Every kernel of this backend by name. */
export const webGpuKernels: KernelTable<WebGpuBackend> = recorded({
  ...(aliasKernels as KernelTable<WebGpuBackend>),
  ...splitting({
    ...makeKernels,
    ...unaryKernels,
    ...binaryKernels,
    ...movementKernels,
    ...reduceKernels,
    ...indexingKernels,
    matMul,
    ...linearKernels,
    ...embeddingKernels,
    ...rmsNormKernels,
    ...layerNormKernels,
    ...causalConv1dKernels,
    ...crossEntropyKernels,
    adamW,
    copy,
    sumSquares,
    ...causalAttentionKernels,
    ...diagonalScanKernels,
    ...vandermondeKernels,
    ...cauchyKernels,
    ...fftConvKernels,
    ...inverseRealFftKernels,
    sampleToken,
    ...selectiveScanKernels,
    ...ssdScanKernels,
    ...mamba3ScanKernels,
  }),
});
