import { aliasKernels, type KernelTable } from "@statespace/core";
import type { WebGpuBackend } from "../backend.ts";
import { optimizerKernels } from "./adamW/index.ts";
import { elementwiseKernels } from "./base/elementwise.ts";
import { fill } from "./base/fill.ts";
import { indexingKernels } from "./base/indexing.ts";
import { movementKernels } from "./base/movement.ts";
import { reduceKernels } from "./base/reduce.ts";
import { causalConv1dKernels } from "./causalConv1d/index.ts";
import { causalAttentionKernels } from "./causalAttention/index.ts";
import { causalAttentionStep } from "./causalAttention/step.ts";
import { crossEntropyKernels } from "./crossEntropy/index.ts";
import { diagonalScanKernels } from "./diagonalScan/index.ts";
import { embeddingKernels } from "./embedding/index.ts";
import { longConvolutionKernels } from "./fftConv/index.ts";
import { linearKernels } from "./linear/index.ts";
import { mamba3ScanKernels } from "./mamba3Scan/index.ts";
import { normKernels } from "./norm/index.ts";
import { sampleToken } from "./sampleToken/index.ts";
import { selectiveScanGrad } from "./selectiveScan/backward.ts";
import { selectiveScan } from "./selectiveScan/forward.ts";
import { selectiveScanStep } from "./selectiveScan/step.ts";
import { filterKernels } from "./vandermonde/index.ts";
import { splitting } from "./splitting.ts";
import { ssdScanKernels } from "./ssdScan/index.ts";

/** Every kernel of this backend by name. */
export const webGpuKernels: KernelTable<WebGpuBackend> = splitting({
  ...(aliasKernels as KernelTable<WebGpuBackend>),
  full: fill,
  ...elementwiseKernels,
  ...movementKernels,
  ...reduceKernels,
  ...indexingKernels,
  ...linearKernels,
  ...embeddingKernels,
  ...normKernels,
  ...causalConv1dKernels,
  ...crossEntropyKernels,
  ...optimizerKernels,
  ...causalAttentionKernels,
  causalAttentionStep,
  ...diagonalScanKernels,
  ...filterKernels,
  ...longConvolutionKernels,
  sampleToken,
  selectiveScan,
  selectiveScanGrad,
  selectiveScanStep,
  ...ssdScanKernels,
  ...mamba3ScanKernels,
});
