import { ArgumentError } from "@statespace/core";
import type { BufferSlot, WordType } from "./declaration.ts";
import type { LoadedShader } from "./library.ts";
import type { AnyRequest } from "./types.ts";

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

function countOf(given: object): number {
  let count = 0;
  for (const _ in given) count++;
  return count;
}

function encodeWord(type: WordType, value: number): number {
  return type === "f32" ? floatBits(value) : value >>> 0;
}

/** The words of a shader's uniform block, each value in its declared type. @throws ArgumentError for a parameter that is missing, unknown or too long. */
export function encodeParams({ label, declaration }: LoadedShader, params: AnyRequest["params"]): number[] {
  const words = new Array<number>(declaration.words).fill(0);
  for (const { name, type, word, count } of declaration.params) {
    const value = params[name];
    if (value === undefined) throw new ArgumentError(`${label}: parameter ${name} is missing`);
    if (typeof value === "number") words[word] = encodeWord(type, value);
    else if (value.length > count)
      throw new ArgumentError(`${label}: parameter ${name} has at most ${count} words, got ${value.length}`);
    else for (let i = 0; i < value.length; i++) words[word + i] = encodeWord(type, value[i]!);
  }
  if (countOf(params) !== declaration.params.length) refuseUnknown(label, "parameter", params, declaration.params);
  return words;
}

/** Calls `use` for every buffer of a shader. @throws ArgumentError for one that is missing or unknown. */
export function mapBuffers<T>(
  { label, declaration }: LoadedShader,
  buffers: AnyRequest["buffers"],
  use: (operand: AnyRequest["buffers"][string], slot: BufferSlot, index: number) => T,
): T[] {
  let known = 0;
  for (const slot of declaration.buffers) {
    if (slot.name in buffers) known++;
    if (!slot.optional && buffers[slot.name] === undefined)
      throw new ArgumentError(`${label}: buffer ${slot.name} is missing`);
  }
  if (known !== countOf(buffers)) refuseUnknown(label, "buffer", buffers, declaration.buffers);
  return declaration.buffers.map((slot, index) => use(buffers[slot.name], slot, index));
}

/** Tells a shader's requests apart by the constants they come to. @throws ArgumentError for an unknown one. */
export function constantsKey(
  { label, declaration }: LoadedShader,
  { constants, buffers }: Pick<AnyRequest, "constants" | "buffers">,
): string {
  let key = "";
  if (constants !== undefined) {
    let known = 0;
    for (const { name } of declaration.constants) {
      const value = constants[name];
      if (value !== undefined || name in constants) known++;
      key += value === undefined ? "," : `${value},`;
    }
    if (known !== countOf(constants)) refuseUnknown(label, "constant", constants, declaration.constants);
  }
  for (const { name, flag } of declaration.buffers)
    if (flag !== undefined) key += buffers[name] === undefined ? "-" : "+";
  return key;
}

/** A request's constants, with those that say which buffers are there. @throws ArgumentError for an unknown one. */
export function constantsOf(
  { label, declaration }: LoadedShader,
  { constants = {}, buffers }: Pick<AnyRequest, "constants" | "buffers">,
): Record<string, number | boolean> {
  refuseUnknown(label, "constant", constants, declaration.constants);
  const values: Record<string, number | boolean> = {};
  for (const { name } of declaration.constants) {
    const value = constants[name];
    if (value !== undefined) values[name] = value;
  }
  for (const { name, flag } of declaration.buffers) if (flag !== undefined) values[flag] = buffers[name] !== undefined;
  return values;
}
