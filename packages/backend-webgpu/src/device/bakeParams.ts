const declaration = /struct Params \{([^}]*)\}\s*/;
const binding = /@group\(0\) @binding\(0\) var<uniform> params: Params;/;

/** A word of a parameter block as WGSL writes it, by the type that the shader gives it. */
function literal(word: number, type: string): string {
  const bits = `${word >>> 0}u`;
  return type === "u32" ? bits : `bitcast<${type}>(${bits})`;
}

/**
 * A shader with its uniform block written in: a dispatch of a captured graph has the same parameters each time, and a kernel that
 * knows them does not begin by waiting for memory. They come from a function, since WGSL refuses constants that make code
 * wrong which is never reached (such as 0u - 1u for an absent operand).
 * Undefined where the block holds more than single words; such a shader keeps its block.
 */
export function bakeParams(code: string, params: readonly number[]): string | undefined {
  const fields = declaration.exec(code)?.[1]?.replace(/\s+/g, "");
  if (fields === undefined || !binding.test(code)) return undefined;
  const types = fields
    .split(",")
    .filter((field) => field !== "")
    .map((field) => field.split(":")[1]!);
  if (!types.every((type) => type === "u32" || type === "i32" || type === "f32")) return undefined;
  const words = types.map((type, i) => literal(params[i] ?? 0, type)).join(", ");
  return code
    .replace(binding, `fn baked() -> Params {\nreturn Params(${words});\n}`)
    .replace(/\bparams\./g, "baked().");
}
