import { cauchyCases } from "./cauchy.ts";
import { diagonalScanCases } from "./diagonalScan.ts";
import { fftConvCases } from "./fftConv.ts";
import { inverseRealFftCases } from "./inverseRealFft.ts";
import { vandermondeCases } from "./vandermonde.ts";
import * as dense from "./dense.ts";
import type { OpCase } from "./opCase.ts";
import { selectiveScanCases, selectiveScanStepCases } from "./selectiveScan.ts";

/** Every case of every op: one line a list. */
export const opCases: readonly OpCase[] = [
  ...selectiveScanCases,
  ...selectiveScanStepCases,
  ...cauchyCases,
  ...diagonalScanCases,
  ...fftConvCases,
  ...inverseRealFftCases,
  ...vandermondeCases,
  ...Object.values(dense).flat(),
];
