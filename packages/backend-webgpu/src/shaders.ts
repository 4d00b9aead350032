export { shaders, type ShaderName } from "./shaders.gen.ts";
