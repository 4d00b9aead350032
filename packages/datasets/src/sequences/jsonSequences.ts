import { FormatError } from "@statespace/core";
import { sourceName, type ByteSource } from "@statespace/files";
import { linesOf, type StreamOptions } from "./lines.ts";
import type { Sequences } from "./sequences.ts";

/** A line's numbers, or lists of them; null is what is missing. */
type Written = number | null | readonly (number | null)[];

/**
 * Sequences from JSON lines `{ "input": [...], "target": ..., "times": [...] }`, as `fit` takes them; a step is a number or a list of them, `null` is
 * missing. A target that is a word is a class, in the order of the alphabet.
 * Errors: `FormatError` with the line; what `linesOf` throws.
 */
export async function readJsonSequences(from: ByteSource, options: StreamOptions = {}): Promise<Sequences> {
  const name = sourceName(from);
  const inputs: (number | readonly number[])[][] = [];
  const targets: (number | (number | readonly number[])[])[] = [];
  const times: (readonly number[])[] = [];
  const words: { readonly at: number; readonly word: string }[] = [];
  for await (const { text, number } of linesOf(from, options)) {
    if (text.trim() === "") continue;
    const where = `${name}: line ${number}`;
    const { input, target, times: own } = objectOf(text, where);
    if (!Array.isArray(input) || input.length === 0) throw new FormatError(`${where}: input must be a list of steps`);
    inputs.push(input.map((step, i) => numbersOf(step, `${where}: input[${i}]`)));
    if (typeof target === "string") {
      words.push({ at: targets.length, word: target });
      targets.push(Number.NaN);
    } else
      targets.push(
        Array.isArray(target)
          ? target.map((step, i) => numbersOf(step, `${where}: target[${i}]`))
          : (numbersOf(target, `${where}: target`) as number),
      );
    if (own !== undefined) {
      const list = Array.isArray(own) ? own.map((time, i) => numbersOf(time, `${where}: times[${i}]`)) : [];
      if (list.length !== input.length) throw new FormatError(`${where}: times must have a number for each step`);
      times.push(list as number[]);
    }
    if (times.length > 0 && times.length !== inputs.length)
      throw new FormatError(`${where}: times must be there on all lines, or on none`);
  }
  if (inputs.length === 0) throw new FormatError(`${name}: has no lines`);
  if (words.length > 0 && words.length < targets.length)
    throw new FormatError(`${name}: target must be a word on all lines, or on none`);
  const classes = [...new Set(words.map(({ word }) => word))].sort();
  for (const { at, word } of words) targets[at] = classes.indexOf(word);
  return { inputs, targets, ...(times.length > 0 && { times }), ...(words.length > 0 && { classes }) };
}

function objectOf(text: string, where: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FormatError(`${where}: is not JSON`, { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new FormatError(`${where}: must be an object`);
  return value as Record<string, unknown>;
}

function numbersOf(value: unknown, where: string): number | readonly number[] {
  const written = value as Written | undefined;
  const one = (each: unknown): number => {
    if (each === null) return Number.NaN;
    if (typeof each !== "number") throw new FormatError(`${where} must be a number, got ${JSON.stringify(each)}`);
    return each;
  };
  return Array.isArray(written) ? written.map(one) : one(written);
}
