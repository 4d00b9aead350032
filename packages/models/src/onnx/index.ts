export { type OnnxWeights } from "./dialect.ts";
export { type SaveOnnxOptions } from "./options.ts";
export { saveOnnx } from "./saveOnnx.ts";
