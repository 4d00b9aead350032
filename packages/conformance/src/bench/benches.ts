import { causalConv1d, linear, rmsNorm, selectiveScan } from "@statespace/core";
import { expertLinear } from "@statespace/core/ops";
import type { Draw } from "../cases/opCase.ts";
import type { Bench } from "./bench.ts";
import {
  decodeBench,
  HYBRID_SMALL,
  MAMBA2_130M,
  MAMBA2_SMALL,
  MAMBA_130M,
  MAMBA_SMALL,
  prefillBench,
  trainBench,
} from "./modelBench.ts";
import { opBench, type OpBenchSpec } from "./opBench.ts";

function scan(name: string, b: number, l: number, d: number, n: number): OpBenchSpec {
  return {
    name,
    op: selectiveScan,
    attrs: { deltaSoftplus: true, returnLastState: false },
    make: (draw: Draw) => ({
      u: draw.normal([b, l, d]),
      delta: draw.normal([b, l, d], 0.5),
      A: draw.uniform([d, n], -2, -0.05),
      B: draw.normal([b, l, n]),
      C: draw.normal([b, l, n]),
      D: draw.normal([d]),
      z: draw.normal([b, l, d]),
      deltaBias: draw.normal([d], 0.1, -1),
    }),
    backward: true,
  };
}

/** 6 of 64 experts of Granite 4.0 H Tiny's widths for each token. */
function experts(name: string, l: number): OpBenchSpec {
  return {
    name,
    op: expertLinear,
    attrs: {},
    make: (draw: Draw) => ({
      x: draw.normal([l, 1536]),
      weight: draw.normal([64, 1024, 1536], 0.03),
      ids: draw.integers([l, 6], 64),
    }),
    backward: true,
  };
}

const opSpecs: readonly OpBenchSpec[] = [
  scan("scan mamba-130m l=2048", 1, 2048, 1536, 16),
  {
    name: "linear mamba-130m inProj l=512",
    op: linear,
    attrs: {},
    make: (draw) => ({ x: draw.normal([512, 768]), weight: draw.normal([3072, 768], 0.05) }),
    backward: true,
  },
  {
    name: "conv mamba-130m l=2048",
    op: causalConv1d,
    attrs: { silu: true },
    make: (draw) => ({ x: draw.normal([1, 2048, 1536]), weight: draw.normal([1536, 4]), bias: draw.normal([1536]) }),
    backward: true,
  },
  {
    name: "rmsNorm mamba-130m l=2048",
    op: rmsNorm,
    attrs: {},
    make: (draw) => ({ x: draw.normal([2048, 768]), weight: draw.normal([768]) }),
    backward: true,
  },
  experts("experts granite-4-h-tiny, one token", 1),
  experts("experts granite-4-h-tiny l=512", 512),
];

/** Every bench, small things first. */
export const benches: readonly Bench[] = [
  ...opSpecs.flatMap((spec) => [opBench(spec, "forward"), ...(spec.backward ? [opBench(spec, "backward")] : [])]),
  trainBench(MAMBA_SMALL, 4, 128),
  decodeBench(MAMBA_SMALL, "f32"),
  decodeBench(MAMBA2_SMALL, "f32"),
  decodeBench(HYBRID_SMALL, "f32"),
  decodeBench(MAMBA_130M, "f32"),
  decodeBench(MAMBA_130M, "f16"),
  decodeBench(MAMBA_130M, "q8"),
  decodeBench(MAMBA_130M, "q4"),
  prefillBench(MAMBA_130M, 512),
  decodeBench(MAMBA2_130M, "f32"),
  prefillBench(MAMBA2_130M, 512),
];
