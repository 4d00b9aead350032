import { aliasKernels, type KernelTable } from "@statespace/core";
import type { WasmBackend } from "../backend.ts";
import { adamW } from "./adamW/index.ts";
import { binaryKernels } from "./base/binary.ts";
import { matMulKernels } from "./base/matMul.ts";
import { moveKernels } from "./base/move.ts";
import { reduceKernels } from "./base/reduce.ts";
import { unaryKernels } from "./base/unary.ts";
import { causalConv1d, causalConv1dGrad, causalConv1dStep } from "./causalConv1d/index.ts";
import { copy } from "./copy/index.ts";
import { crossEntropy, crossEntropyGrad } from "./crossEntropy/index.ts";
import { embedding, embeddingGrad } from "./embedding/index.ts";
import { layerNorm, layerNormGrad } from "./layerNorm/index.ts";
import { linear, linearGrad } from "./linear/index.ts";
import { rmsNorm, rmsNormGrad } from "./rmsNorm/index.ts";
import { selectiveScan, selectiveScanGrad, selectiveScanStep } from "./selectiveScan/index.ts";
import { sumSquares } from "./sumSquares/index.ts";

/** Every kernel of this backend by name. */
export const wasmKernels: KernelTable<WasmBackend> = {
  ...(aliasKernels as KernelTable<WasmBackend>),
  ...unaryKernels,
  ...binaryKernels,
  ...moveKernels,
  ...reduceKernels,
  ...matMulKernels,
  adamW,
  causalConv1d,
  causalConv1dGrad,
  causalConv1dStep,
  copy,
  crossEntropy,
  crossEntropyGrad,
  embedding,
  embeddingGrad,
  layerNorm,
  layerNormGrad,
  linear,
  linearGrad,
  rmsNorm,
  rmsNormGrad,
  selectiveScan,
  selectiveScanGrad,
  selectiveScanStep,
  sumSquares,
};
