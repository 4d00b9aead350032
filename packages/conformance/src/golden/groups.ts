import type { GoldenCase } from "./goldenCase.ts";
import { compareCausalConv1d } from "./causalConv1d.ts";
import { compareGatedDelta } from "./gatedDelta.ts";
import { compareGguf } from "./gguf.ts";
import { compareHippo } from "./hippo.ts";
import { compareLanguageModel } from "./languageModel.ts";
import { compareLora } from "./lora.ts";
import { compareMamba3Siso } from "./mamba3.ts";
import { compareNplr } from "./nplr.ts";
import { compareOnnxCausalConv } from "./onnxCausalConv.ts";
import { compareOnnxLinearAttention } from "./onnxLinearAttention.ts";
import type { GoldenRow } from "./row.ts";
import { compareS4 } from "./s4.ts";
import { compareS5 } from "./s5.ts";
import { compareSelectiveScan } from "./selectiveScan.ts";
import { compareSsd } from "./ssd.ts";

/** How the cases of a golden group are compared. */
export interface GoldenGroup {
  /** Pure mathematics in float64: run once, whatever backends are asked for. */
  readonly backendFree?: boolean;
  compare(golden: GoldenCase): Promise<GoldenRow[]> | GoldenRow[];
}

/** Every group this project can compare, by folder name. */
export const goldenGroups: Readonly<Record<string, GoldenGroup>> = {
  "selective-scan": { compare: compareSelectiveScan },
  "causal-conv1d": { compare: compareCausalConv1d },
  s4: { compare: compareS4 },
  s5: { compare: compareS5 },
  "mamba3-siso": { compare: compareMamba3Siso },
  ssd: { compare: compareSsd },
  "gated-delta-rule": { compare: compareGatedDelta },
  "onnx-linear-attention": { compare: compareOnnxLinearAttention },
  "onnx-causal-conv-with-state": { compare: compareOnnxCausalConv },
  hf: { compare: compareLanguageModel },
  lora: { compare: compareLora },
  gguf: { backendFree: true, compare: compareGguf },
  hippo: { backendFree: true, compare: ({ tensors, attrs }) => compareHippo(tensors, attrs) },
  nplr: { backendFree: true, compare: ({ tensors, attrs }) => compareNplr(tensors, attrs) },
};
