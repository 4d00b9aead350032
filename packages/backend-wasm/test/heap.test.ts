import { OutOfMemoryError } from "@statespace/core";
import { describe, expect, it } from "vitest";
import { classSize, Heap } from "../src/runtime/heap.ts";

const MIB = 1 << 20;
const heap = (pages: number, limit: number): Heap =>
  new Heap(new WebAssembly.Memory({ initial: pages, maximum: 65536 }), 0, limit);

describe("size classes", () => {
  it("hold what is asked, lose at most a fifth of it beyond 256 bytes, and are lines of 64 bytes", () => {
    for (let bytes = 1; bytes < 1 << 22; bytes = Math.ceil(bytes * 1.07)) {
      const size = classSize(bytes);
      expect(size).toBeGreaterThanOrEqual(bytes);
      expect(size % 64).toBe(0);
      expect(classSize(size)).toBe(size);
      if (bytes > 256) expect(size / bytes).toBeLessThanOrEqual(1.25);
    }
  });
});

describe("the heap", () => {
  it("gives blocks that do not overlap, aligned to cache lines", () => {
    const h = heap(64, 64 * MIB);
    const blocks = Array.from({ length: 300 }, (_, i) => ({ bytes: 1 + ((i * 7919) % 30000), at: 0 }));
    for (const block of blocks) block.at = h.allocate(block.bytes);
    const sorted = blocks.toSorted((a, b) => a.at - b.at);
    sorted.forEach((block, i) => {
      expect(block.at % 64).toBe(0);
      if (i > 0) expect(block.at).toBeGreaterThanOrEqual(sorted[i - 1]!.at + sorted[i - 1]!.bytes);
    });
  });

  it("does not grow when requests repeat", () => {
    const h = heap(16, 256 * MIB);
    const step = (): void => {
      const taken = [3000, 70_000, 1_000_000, 512, 70_000].map((bytes) => [h.allocate(bytes), bytes] as const);
      for (const [at, bytes] of taken) h.free(at, bytes);
    };
    step();
    const held = h.held;
    for (let i = 0; i < 10_000; i++) step();
    expect(h.held).toBe(held);
    expect(h.used).toBe(0);
  });

  it("merges free blocks when memory cannot grow", () => {
    const h = heap(16, MIB);
    const small = Array.from({ length: 15 }, () => h.allocate(64 * 1024));
    expect(() => h.allocate(512 * 1024)).toThrow(OutOfMemoryError);
    for (const at of small) h.free(at, 64 * 1024);
    expect(h.allocate(512 * 1024)).toBeGreaterThanOrEqual(0);
  });

  it("says in an OutOfMemoryError what was asked and what there is, and goes on", () => {
    const h = heap(16, 2 * MIB);
    const at = h.allocate(MIB / 2);
    expect(() => h.allocate(8 * MIB)).toThrow(/no room for 8388608 bytes \(\d+ in use, at most 2097152\)/);
    h.free(at, MIB / 2);
    expect(h.allocate(MIB / 2)).toBe(at);
  });

  it("never takes two requests to one place over a long mixed run", () => {
    const h = heap(16, 128 * MIB);
    const live = new Map<number, number>();
    let state = 1;
    const draw = (n: number): number => (state = (Math.imul(state, 48271) >>> 0) % 2147483647) % n;
    for (let i = 0; i < 20_000; i++) {
      if (live.size > 60 || (live.size > 0 && draw(2) === 0)) {
        const [at, bytes] = [...live][draw(live.size)]!;
        live.delete(at);
        h.free(at, bytes);
      } else {
        const bytes = 1 + draw(200_000);
        const at = h.allocate(bytes);
        for (const [other, size] of live) expect(at + bytes <= other || other + size <= at).toBe(true);
        live.set(at, bytes);
      }
    }
    expect(h.held).toBeLessThan(64 * MIB);
  }, 60_000);
});
