import { shaders as generated } from "./shaders.generated.ts";

/** Path of a shader below src/kernels, without its extension. */
export type ShaderName = keyof typeof generated;

/** Every shader's text. */
export const shaders: Readonly<Record<ShaderName, string>> = generated;
