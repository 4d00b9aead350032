import { defineConfig } from "tsdown";

export default defineConfig({
  entry: [
    "src/index.ts",
    "src/cases.ts",
    "src/conformance.ts",
    "src/exactness.ts",
    "src/serving.ts",
    "src/soak.ts",
    "src/roundTrip.ts",
    "src/agreement.ts",
    "src/bench.ts",
    "src/opSpeed.ts",
    "src/tables.ts",
  ],
  format: "esm",
  platform: "neutral",
  target: "es2023",
  dts: true,
  sourcemap: true,
  clean: true,
  inputOptions: { resolve: { conditionNames: ["import", "default"] } },
});
