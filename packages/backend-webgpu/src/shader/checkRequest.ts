import { ArgumentError } from "@statespace/core";
import type { BufferSlot } from "./declaration.ts";
import type { LoadedShader } from "./library.ts";
import type { AnyRequest, ConstantValues } from "./types.ts";

const floatWord = new Float32Array(1);
const bitsWord = new Uint32Array(floatWord.buffer);

/** A float's bits: a word of a uniform block, or of a buffer of u32. */
export function floatBits(value: number): number {
  floatWord[0] = value;
  return bitsWord[0]!;
}

const listed = (fields: readonly { readonly name: string }[]): string =>
  fields.map(({ name }) => name).join(", ") || "none";

/** @throws ArgumentError for a name that is not declared. */
function refuseUnknown(
  shader: string,
  kind: string,
  given: object,
  declared: readonly { readonly name: string }[],
): void {
  for (const name in given)
    if (!declared.some((field) => field.name === name))
      throw new ArgumentError(`${shader}: has no ${kind} ${name} (it has ${listed(declared)})`);
}

/** The words of a shader's uniform block, each value in its declared type. @throws ArgumentError for a parameter that is missing, unknown or too long. */
export function encodeParams({ label, declaration }: LoadedShader, params: AnyRequest["params"]): number[] {
  const words: number[] = [];
  let known = 0;
  for (const { name, type, word, count } of declaration.params) {
    const value = params[name];
    if (value === undefined) throw new ArgumentError(`${label}: parameter ${name} is missing`);
    const values = typeof value === "number" ? [value] : value;
    if (values.length > count)
      throw new ArgumentError(`${label}: parameter ${name} has at most ${count} words, got ${values.length}`);
    for (let i = 0; i < count; i++) {
      const x = values[i] ?? 0;
      words[word + i] = type === "f32" ? floatBits(x) : x >>> 0;
    }
    known++;
  }
  if (known !== Object.keys(params).length) refuseUnknown(label, "parameter", params, declaration.params);
  for (let i = 0; i < words.length; i++) words[i] ??= 0;
  return words;
}

/** Calls `use` for every buffer of a shader. @throws ArgumentError for one that is missing or unknown. */
export function mapBuffers<T>(
  { label, declaration }: LoadedShader,
  buffers: AnyRequest["buffers"],
  use: (operand: AnyRequest["buffers"][string], slot: BufferSlot, index: number) => T,
): T[] {
  refuseUnknown(label, "buffer", buffers, declaration.buffers);
  return declaration.buffers.map((slot, index) => {
    const operand = buffers[slot.name];
    if (operand === undefined && !slot.optional) throw new ArgumentError(`${label}: buffer ${slot.name} is missing`);
    return use(operand, slot, index);
  });
}

/** A request's constants, with those that say which buffers are there. @throws ArgumentError for an unknown one. */
export function constantsOf(
  { label, declaration }: LoadedShader,
  { constants = {}, buffers }: AnyRequest,
): Record<string, number | boolean> {
  refuseUnknown(label, "constant", constants, declaration.constants);
  const values: Record<string, number | boolean> = {};
  for (const name in constants as ConstantValues) {
    const value = (constants as ConstantValues)[name];
    if (value !== undefined) values[name] = value;
  }
  for (const { name, flag } of declaration.buffers) if (flag !== undefined) values[flag] = buffers[name] !== undefined;
  return values;
}
