export { saveOnnx, type SaveOnnxOptions } from "./saveOnnx.ts";
