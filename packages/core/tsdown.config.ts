import { defineConfig } from "tsdown";

export default defineConfig({
  entry: {
    index: "src/index.ts",
    backend: "src/makers.ts",
    discretization: "src/discretization/index.ts",
    hippo: "src/hippo/index.ts",
    math: "src/math/index.ts",
    ops: "src/ops/index.ts",
    ssm: "src/ssm/index.ts",
  },
  format: "esm",
  platform: "neutral",
  target: "es2023",
  dts: true,
  sourcemap: true,
  clean: true,
  inputOptions: { resolve: { conditionNames: ["import", "default"] } },
});
