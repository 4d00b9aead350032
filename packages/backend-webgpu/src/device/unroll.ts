import { BackendError } from "@statespace/core";

/*
 * Shaders mark loops with `//: unroll`. They are valid WGSL as they stand; before compilation such a loop is written out,
 * so that arrays indexed by its variable have constant indices and live in registers: a driver that leaves the loop
 * in place puts them into memory, which made the scan's backward pass five times slower on an H100.
 */

/** Value of an integer expression of literals and names: + - * / % and parentheses. */
export function evaluate(text: string, names: ReadonlyMap<string, number>): number {
  const tokens = text.match(/\w+|[-+*/%(),]/g) ?? [];
  let at = 0;
  const sum = (): number => {
    let left = product();
    while (tokens[at] === "+" || tokens[at] === "-") left = tokens[at++] === "+" ? left + product() : left - product();
    return left;
  };
  const product = (): number => {
    let left = atom();
    while (tokens[at] === "*" || tokens[at] === "/" || tokens[at] === "%") {
      const operator = tokens[at++];
      const right = atom();
      left = operator === "*" ? left * right : operator === "/" ? Math.floor(left / right) : left % right;
    }
    return left;
  };
  const atom = (): number => {
    const token = tokens[at++]!;
    if (token === "(") {
      const inner = sum();
      at++;
      return inner;
    }
    if (/^\d/.test(token)) return Number.parseInt(token, 10);
    if ((token === "max" || token === "min") && tokens[at] === "(") {
      at++;
      const a = sum();
      at++;
      const b = sum();
      at++;
      return token === "max" ? Math.max(a, b) : Math.min(a, b);
    }
    const value = names.get(token);
    if (value === undefined) throw new BackendError(`unroll: ${token} in "${text}" is not a constant`);
    return value;
  };
  return sum();
}

/** The u32 constants of a shader, derived ones included. */
function constantsOf(code: string): Map<string, number> {
  const names = new Map<string, number>();
  for (const [, name, text] of code.matchAll(/^const (\w+)(?::\s*u32)? = ([^;."]+);/gm)) {
    if (text === "true" || text === "false") names.set(name!, Number(text === "true"));
    else names.set(name!, evaluate(text!, names));
  }
  return names;
}

/** Index after the brace that closes the one at `open`. */
function closing(code: string, open: number): number {
  let depth = 0;
  for (let i = open; i < code.length; i++) {
    if (code[i] === "{") depth++;
    else if (code[i] === "}" && --depth === 0) return i + 1;
  }
  throw new BackendError("unroll: a brace is not closed");
}

const loop = /\/\/: unroll(?: if (\w+))?\s*for \(var (\w+) = ([^;]+); \2 < ([^;]+); \2(\+\+|--)\) \{/;

type LoopHead = [head: string, condition: string | undefined, variable: string, from: string, to: string, step: string];

/**
 * Writes out every loop marked `//: unroll`, outermost first. A falling loop reads `for (var t = T - 1u; t < T; t--)`:
 * below zero t wraps around, and the loop ends. `//: unroll if NAME` stays a loop where that constant is false.
 */
export function unroll(code: string): string {
  if (!code.includes("//: unroll")) return code;
  const names = constantsOf(code);
  const expand = (text: string): string => {
    const match = loop.exec(text);
    if (!match) return text;
    const [head, condition, variable, from, to, direction] = match as unknown as LoopHead;
    if (condition !== undefined && !evaluate(condition, names)) {
      const marked = text.slice(0, match.index) + head.replace(/\/\/: unroll if \w+/, "");
      return marked + expand(text.slice(match.index + head.length));
    }
    const open = match.index + head.length - 1;
    const end = closing(text, open);
    const body = text.slice(open, end);
    const name = new RegExp(`\\b${variable}\\b`, "g");
    let written = "";
    const [first, bound, step] = [evaluate(from, names), evaluate(to, names), direction === "++" ? 1 : -1];
    for (let i = first; i >= 0 && i < bound; i += step) written += `${body.replace(name, `${i}u`)}\n`;
    return expand(text.slice(0, match.index) + written + text.slice(end));
  };
  return expand(code);
}
