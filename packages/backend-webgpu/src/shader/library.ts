import { ArgumentError } from "@statespace/core";
import { shaderFiles } from "../shaders.gen.ts";
import { declarationOf, type ShaderDeclaration } from "./declaration.ts";
import { resolveShader, variantsOf, type Variant } from "./resolve.ts";

/** A shader in one of its variants: its text and what that declares. */
export interface LoadedShader {
  /** Its name, and its variant's values where it has any. */
  readonly label: string;
  readonly name: string;
  readonly code: string;
  readonly declaration: ShaderDeclaration;
}

const none: Variant = {};

/** @throws ArgumentError for a variant that the shader has not, or one that is not named. */
function checkVariant(shader: string, text: string, variant: Variant): void {
  const known = variantsOf(text);
  for (const name in variant)
    if (!known.has(name))
      throw new ArgumentError(`${shader}: has no variant ${name} (it has ${[...known.keys()].join(", ") || "none"})`);
  for (const [name, values] of known)
    if (!values.includes(variant[name]!))
      throw new ArgumentError(`${shader}: variant ${name} must be ${values.join(" or ")}, got ${variant[name]}`);
}

/** Shaders by name and variant, each put together once. */
export class ShaderLibrary {
  readonly #loaded: Map<string, LoadedShader> = new Map();

  /** @throws ArgumentError for an unknown shader or variant. */
  load(name: string, variant: Variant = none): LoadedShader {
    let label = name;
    for (const axis in variant) label += ` ${variant[axis]}`;
    let found = this.#loaded.get(label);
    if (!found) {
      const text = shaderFiles[name];
      if (text === undefined) throw new ArgumentError(`webgpu: there is no shader ${name}`);
      checkVariant(name, text, variant);
      const code = resolveShader(shaderFiles, name, variant);
      found = { label, name, code, declaration: declarationOf(code, name) };
      this.#loaded.set(label, found);
    }
    return found;
  }
}
