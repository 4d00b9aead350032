export { shaders, type ShaderName } from "./shaders.generated.ts";
