import { ArgumentError, type Rng } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { requireInteger, requireNumber } from "../arguments.ts";
import type { TokenBatch } from "../batch.ts";
import type { Task } from "./task.ts";

/** Size and difficulty of `listOps`. */
export interface ListOpsOptions {
  /** Shortest and longest expression in symbols; rows are padded to the longest. Default 32 and 128. */
  readonly minLen?: number;
  readonly maxLen?: number;
  /** Operators within operators at most. Default 10. */
  readonly maxDepth?: number;
  /** Operands of an operator, 2 at least. Default 10. */
  readonly maxArgs?: number;
  /** Chance that an operand is an operator rather than a digit. Default 0.25. */
  readonly nesting?: number;
}

/** How the ids of ListOps are written: id 0 is padding, digits are 1 to 10. */
export const listOpsSymbols: readonly string[] = ["", ..."0123456789", "[MIN", "[MAX", "[MED", "[SM", "]"];

const firstOperator = 11;
const closing = 15;
const drawLimit = 200_000;

/**
 * ListOps: the digit that a nested prefix expression over MIN, MAX, MED (median, rounded down) and SM (sum modulo 10) evaluates to.
 *
 * Shapes: inputs [b, maxLen] padded with 0 at the end, targets [b] in 0 .. 9, lengths [b].
 * Errors: `ArgumentError` for sizes that do not fit, or where 200,000 draws give no expression of the length asked for.
 * Source: Nangia and Bowman 2018 (arXiv:1804.06028); lengths by rejection as in Long Range Arena (Tay et al. 2020), there 500 to 2000.
 * Departure: the root is always an operator.
 */
export function listOps(options: ListOpsOptions = {}): Task<TokenBatch> {
  const where = "listOps";
  refuseUnknown("listOps", options, ["minLen", "maxLen", "maxDepth", "maxArgs", "nesting"]);
  const { minLen = 32, maxLen = 128, maxDepth = 10, maxArgs = 10, nesting = 0.25 } = options;
  requireInteger(where, "maxLen", maxLen, 4);
  requireInteger(where, "minLen", minLen, 1, maxLen);
  requireInteger(where, "maxDepth", maxDepth, 1, 1000);
  requireInteger(where, "maxArgs", maxArgs, 2, 1000);
  requireNumber(where, "nesting", nesting, 0, 1);
  const draw = (random: Rng): { tokens: number[]; value: number } => {
    for (let i = 0; i < drawLimit; i++) {
      const tokens: number[] = [];
      const value = grow(random, tokens, { maxLen, maxArgs, nesting, depth: maxDepth });
      if (value >= 0 && tokens.length >= minLen) return { tokens, value };
    }
    throw new ArgumentError(
      `${where}: no expression of ${minLen} to ${maxLen} symbols in ${drawLimit} draws; raise maxDepth, maxArgs or nesting`,
    );
  };
  return {
    info: {
      name: "listops",
      description: `nested list operations of ${minLen} to ${maxLen} symbols`,
      licence: "Apache-2.0",
      source: "generated; Nangia and Bowman 2018 (arXiv:1804.06028), Tay et al. 2020 (arXiv:2011.04006)",
      split: "one generator a split",
    },
    vocabSize: listOpsSymbols.length,
    sample(random, batchSize) {
      const inputs = new Int32Array(batchSize * maxLen); // [b, l]
      const targets = new Int32Array(batchSize); // [b]
      const lengths = new Int32Array(batchSize);
      for (let row = 0; row < batchSize; row++) {
        const { tokens, value } = draw(random);
        inputs.set(tokens, row * maxLen);
        targets[row] = value;
        lengths[row] = tokens.length;
      }
      return { inputs, targets, lengths, shape: [batchSize, maxLen], targetShape: [batchSize] };
    },
  };
}

interface Limits {
  readonly maxLen: number;
  readonly maxArgs: number;
  readonly nesting: number;
  readonly depth: number;
}

/** Appends a random operator with its operands and returns its value, or -1 as soon as it outgrows `maxLen`. */
function grow(random: Rng, tokens: number[], limits: Limits): number {
  const operator = random.integer(4);
  const count = 2 + random.integer(limits.maxArgs - 1);
  const values: number[] = [];
  tokens.push(firstOperator + operator);
  for (let i = 0; i < count; i++) {
    if (tokens.length + count - i + 1 > limits.maxLen) return -1;
    if (limits.depth > 1 && random.uniform() < limits.nesting) {
      const value = grow(random, tokens, { ...limits, depth: limits.depth - 1 });
      if (value < 0) return -1;
      values.push(value);
    } else {
      const digit = random.integer(10);
      tokens.push(1 + digit);
      values.push(digit);
    }
  }
  tokens.push(closing);
  return tokens.length > limits.maxLen ? -1 : apply(operator, values);
}

function apply(operator: number, values: readonly number[]): number {
  if (operator === 0) return Math.min(...values);
  if (operator === 1) return Math.max(...values);
  if (operator === 3) return values.reduce((sum, value) => sum + value, 0) % 10;
  const sorted = values.toSorted((p, q) => p - q);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) >> 1;
}
