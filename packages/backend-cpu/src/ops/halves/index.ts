import { fromHalf, toHalf, type KernelTable } from "@statespace/core/backend";
import type { CpuBackend } from "../../backend.ts";

/** Halves of two floats in one word, the first in its low bits. */
export const wordOf = (first: number, second: number): number => toHalf(first) | (toHalf(second) << 16);
/** The floats of words, entry by entry. */
export const floatIn = (words: Int32Array, i: number): number =>
  fromHalf((i % 2 === 0 ? words[i >> 1]! : words[i >> 1]! >>> 16) & 0xffff);

/** Floats as words of two halves, and back. */
export const kernels: KernelTable<CpuBackend> = {
  toHalves: (backend, { x }) => {
    const y = backend.output([...x!.shape.slice(0, -1), x!.shape.at(-1)! / 2], "int32");
    const [from, to] = [backend.floats(x!), backend.ints(y)];
    backend.launch(() => {
      for (let i = 0; i < to.length; i++) to[i] = wordOf(from[2 * i]!, from[2 * i + 1]!);
    });
    return y;
  },
  fromHalves: (backend, { x }) => {
    const y = backend.output([...x!.shape.slice(0, -1), 2 * x!.shape.at(-1)!]);
    const [from, to] = [backend.ints(x!), backend.floats(y)];
    backend.launch(() => {
      for (let i = 0; i < to.length; i++) to[i] = floatIn(from, i);
    });
    return y;
  },
};
