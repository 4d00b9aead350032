import { aliasKernels, type KernelTable } from "@statespace/core";
import type { WebGpuBackend } from "../backend.ts";
import { adamW } from "./adamW/index.ts";
import { argMax } from "./argMax/index.ts";
import { binaryKernels } from "./binary/index.ts";
import { cast } from "./cast/index.ts";
import { cauchyKernels } from "./cauchy/index.ts";
import { causalAttentionKernels } from "./causalAttention/index.ts";
import { causalAttentionStep } from "./causalAttention/step.ts";
import { causalConv1dKernels } from "./causalConv1d/index.ts";
import { copy } from "./copy/index.ts";
import { crossEntropyKernels } from "./crossEntropy/index.ts";
import { cumsum } from "./cumsum/index.ts";
import { diagonalScanKernels } from "./diagonalScan/index.ts";
import { embeddingKernels } from "./embedding/index.ts";
import { fftConvKernels } from "./fftConv/index.ts";
import { full } from "./fill/index.ts";
import { gather, oneHot } from "./gather/index.ts";
import { inverseRealFftKernels } from "./inverseRealFft/index.ts";
import { linearKernels } from "./linear/index.ts";
import { mamba3ScanKernels } from "./mamba3Scan/index.ts";
import { matMul } from "./matMul/index.ts";
import { movementKernels } from "./move/index.ts";
import { normKernels } from "./norm/index.ts";
import { recorded } from "./recorded.ts";
import { reduceKernels } from "./reduce/index.ts";
import { sampleToken } from "./sampleToken/index.ts";
import { segmentSum } from "./segmentSum/index.ts";
import { selectiveScanGrad } from "./selectiveScan/backward.ts";
import { selectiveScan } from "./selectiveScan/forward.ts";
import { selectiveScanStep } from "./selectiveScan/step.ts";
import { softmax } from "./softmax/index.ts";
import { splitting } from "./splitting.ts";
import { ssdScanKernels } from "./ssdScan/index.ts";
import { sumSquares } from "./sumSquares/index.ts";
import { unaryKernels } from "./unary/index.ts";
import { vandermondeKernels } from "./vandermonde/index.ts";
import { where } from "./where/index.ts";

/** Every kernel of this backend by name. */
export const webGpuKernels: KernelTable<WebGpuBackend> = recorded(
  splitting({
    ...(aliasKernels as KernelTable<WebGpuBackend>),
    full,
    ...unaryKernels,
    ...binaryKernels,
    cast,
    where,
    ...movementKernels,
    ...reduceKernels,
    argMax,
    cumsum,
    softmax,
    gather,
    oneHot,
    segmentSum,
    matMul,
    ...linearKernels,
    ...embeddingKernels,
    ...normKernels,
    ...causalConv1dKernels,
    ...crossEntropyKernels,
    adamW,
    copy,
    sumSquares,
    ...causalAttentionKernels,
    causalAttentionStep,
    ...diagonalScanKernels,
    ...vandermondeKernels,
    ...cauchyKernels,
    ...fftConvKernels,
    ...inverseRealFftKernels,
    sampleToken,
    selectiveScan,
    selectiveScanGrad,
    selectiveScanStep,
    ...ssdScanKernels,
    ...mamba3ScanKernels,
  }),
);
