// What every kernel sees: its arguments as machine words, the thread it runs on, and how work is divided.
#pragma once
#include "simd.h"

typedef __INTPTR_TYPE__ W;
typedef __UINTPTR_TYPE__ UW;
typedef void Kernel(const W *a, int thread, int threads);

#define KERNEL(name) void name(const W *a, int thread, int threads)
#define UNUSED (void)a, (void)thread, (void)threads

INLINE float wordAsFloat(W w) {
  union { int i; float f; } u = {(int)w};
  return u.f;
}
INLINE float bitsAsFloat(int i) {
  union { int i; float f; } u = {i};
  return u.f;
}
INLINE int floatAsBits(float f) {
  union { float f; int i; } u = {f};
  return u.i;
}
INLINE long minLong(long x, long y) { return x < y ? x : y; }
INLINE long maxLong(long x, long y) { return x > y ? x : y; }

typedef struct { long lo, hi; } Span;
/** The part of [0, n) that falls to this thread, in units of `grain`; depends on the thread count alone, so results repeat. */
INLINE Span share(long n, long grain, int thread, int threads) {
  long units = (n + grain - 1) / grain;
  Span s = {units * thread / threads * grain, units * (thread + 1) / threads * grain};
  if (s.hi > n) s.hi = n;
  if (s.lo > n) s.lo = n;
  return s;
}

void *memcpy(void *, const void *, UW);
void *memset(void *, int, UW);
void *memmove(void *, const void *, UW);

/** Scratch of this thread, SCRATCH_BYTES long, 64-byte aligned. */
enum { SCRATCH_BYTES = 1 << 21 };
void *scratchOf(int thread);
/** All threads of the region meet here. */
void barrier(int thread, int threads);
