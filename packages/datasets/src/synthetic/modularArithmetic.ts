import { ArgumentError, type Rng } from "@statespace/core";
import { refuseUnknown } from "@statespace/core/backend";
import { requireInteger } from "../arguments.ts";
import { IGNORE_INDEX, type TokenBatch } from "../batch.ts";
import type { Task } from "./task.ts";

/** Size and difficulty of `modularArithmetic`. */
export interface ModularArithmeticOptions {
  /** Numbers are 0 .. modulus - 1. Default 5. */
  readonly modulus?: number;
  /** Steps in a row, the closing "=" included. Default 40. */
  readonly seqLen?: number;
  /** Nested brackets (context-free) instead of a flat chain (regular). Default false. */
  readonly brackets?: boolean;
}

interface Expression {
  readonly tokens: number[];
  readonly value: number;
}

/** A modular-arithmetic task also says how its ids are written. */
export interface ModularArithmeticTask extends Task<TokenBatch> {
  readonly symbols: readonly string[];
}

/**
 * Modular arithmetic: the value of an expression over + - * modulo m is due at the closing "=".
 * Flat chains follow the usual precedence; with brackets every operation is bracketed.
 *
 * Shapes: inputs, targets, mask [b, seqLen]; only the last step has a target.
 * Errors: `ArgumentError` for a flat chain of odd `seqLen` (n numbers, n - 1 signs and "=" are even).
 * Source: Deletang et al. 2022 (arXiv:2207.02098), section 4 and appendix A; also Mamba-3 (2025), state tracking.
 */
export function modularArithmetic(options: ModularArithmeticOptions = {}): ModularArithmeticTask {
  const where = "modularArithmetic";
  refuseUnknown("modularArithmetic", options, ["modulus", "seqLen", "brackets"]);
  const { modulus = 5, seqLen = 40, brackets = false } = options;
  requireInteger(where, "modulus", modulus, 2, 1000);
  requireInteger(where, "seqLen", seqLen, 2, 65536);
  if (!brackets && seqLen % 2 !== 0)
    throw new ArgumentError(`${where}: seqLen must be even without brackets, got ${seqLen}`);
  const symbols = [...Array.from({ length: modulus }, (_, i) => String(i)), "+", "-", "*", "=", "(", ")"];
  return {
    info: {
      name: brackets ? "modular-arithmetic-brackets" : "modular-arithmetic",
      description: `expressions of ${seqLen - 1} symbols modulo ${modulus}`,
      licence: "Apache-2.0",
      source: "generated; Deletang et al. 2022 (arXiv:2207.02098), appendix A",
      split: "one generator a split",
    },
    symbols,
    vocabSize: brackets ? symbols.length : modulus + 4,
    sample(random, batchSize) {
      const inputs = new Int32Array(batchSize * seqLen); // [b, l]
      const targets = new Int32Array(batchSize * seqLen).fill(IGNORE_INDEX);
      const mask = new Float32Array(batchSize * seqLen);
      for (let row = 0; row < batchSize; row++) {
        const { tokens, value } = brackets
          ? bracketed(random, modulus, seqLen - 1)
          : flatChain(random, modulus, seqLen / 2);
        inputs.set(tokens, row * seqLen);
        const last = (row + 1) * seqLen - 1;
        inputs[last] = modulus + 3;
        targets[last] = value;
        mask[last] = 1;
      }
      return { inputs, targets, mask, shape: [batchSize, seqLen], targetShape: [batchSize, seqLen] };
    },
  };
}

/** `count` numbers with random signs between them; `sum + product` is the value so far. */
function flatChain(random: Rng, modulus: number, count: number): Expression {
  let product = random.integer(modulus);
  let sum = 0;
  const tokens = [product];
  for (let i = 1; i < count; i++) {
    const sign = random.integer(3);
    const number = random.integer(modulus);
    tokens.push(modulus + sign, number);
    if (sign === 2) product = wrap(product * number, modulus);
    else {
      sum = wrap(sum + product, modulus);
      product = sign === 0 ? number : wrap(-number, modulus);
    }
  }
  return { tokens, value: wrap(sum + product, modulus) };
}

/** A bracketed expression of exactly `length` symbols. */
function bracketed(random: Rng, modulus: number, length: number): Expression {
  const [open, close] = [modulus + 4, modulus + 5];
  if (length <= 2) {
    const number = random.integer(modulus);
    return length === 1
      ? { tokens: [number], value: number }
      : { tokens: [modulus + 1, number], value: wrap(-number, modulus) };
  }
  if (length <= 4) {
    const { tokens, value } = bracketed(random, modulus, length - 2);
    return { tokens: [open, ...tokens, close], value };
  }
  const leftLength = 1 + random.integer(length - 4);
  const left = bracketed(random, modulus, leftLength);
  const sign = random.integer(3);
  const right = bracketed(random, modulus, length - 3 - leftLength);
  const value = sign === 2 ? left.value * right.value : left.value + (sign === 0 ? right.value : -right.value);
  return { tokens: [open, ...left.tokens, modulus + sign, ...right.tokens, close], value: wrap(value, modulus) };
}

function wrap(value: number, modulus: number): number {
  return ((value % modulus) + modulus) % modulus;
}
