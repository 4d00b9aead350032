import { defineConfig } from "tsdown";

export default defineConfig({
  entry: { index: "src/index.ts", grammar: "src/grammar/index.ts", onnx: "src/onnx/index.ts" },
  format: "esm",
  platform: "neutral",
  target: "es2023",
  dts: true,
  sourcemap: true,
  clean: true,
  inputOptions: { resolve: { conditionNames: ["import", "default"] } },
});
