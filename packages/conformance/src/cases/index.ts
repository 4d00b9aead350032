import { causalAttentionCases } from "./causalAttention.ts";
import { causalAttentionStepCases } from "./causalAttentionStep.ts";
import { cauchyCases } from "./cauchy.ts";
import { diagonalScanCases } from "./diagonalScan.ts";
import { fftConvCases } from "./fftConv.ts";
import { inverseRealFftCases } from "./inverseRealFft.ts";
import { sampleTokenCases } from "./sampleToken.ts";
import { vandermondeCases } from "./vandermonde.ts";
import * as dense from "./dense.ts";
import type { OpCase } from "./opCase.ts";
import { mamba3ScanCases, mamba3ScanStepCases } from "./mamba3Scan.ts";
import { selectiveScanCases, selectiveScanStepCases } from "./selectiveScan.ts";
import { ssdScanCases, ssdScanStepCases } from "./ssdScan.ts";

/** Every case of every op: one line a list. */
export const opCases: readonly OpCase[] = [
  ...selectiveScanCases,
  ...selectiveScanStepCases,
  ...causalAttentionCases,
  ...causalAttentionStepCases,
  ...cauchyCases,
  ...diagonalScanCases,
  ...fftConvCases,
  ...inverseRealFftCases,
  ...mamba3ScanCases,
  ...mamba3ScanStepCases,
  ...sampleTokenCases,
  ...ssdScanCases,
  ...ssdScanStepCases,
  ...vandermondeCases,
  ...Object.values(dense).flat(),
];
