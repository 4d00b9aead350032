// What every kernel sees: its arguments as machine words, the thread it runs on, and how work is divided.
#pragma once
#include "simd.h"

typedef __INTPTR_TYPE__ W;
typedef __UINTPTR_TYPE__ UW;

/*
 * A kernel: KERNEL(scale, Out y, In x, MaybeIn bias, long count, float factor) { ... }. This line is the only place that knows its
 * arguments: scripts/declarations.ts reads it, and the build makes the call from the argument words below and the typed caller of
 * TypeScript. Parameters are of the types that follow, or structs of such fields, whose names then are arguments as well.
 */
#define KERNEL(name, ...) static void name(int thread, int threads, __VA_ARGS__)

/* Tensors: read, written, both; `Maybe`: 0 where absent; `Ints`: of 32-bit integers; `Words`: of any type. */
typedef const float *In, *MaybeIn;
typedef float *Out, *MaybeOut, *InOut;
typedef const int *InInts, *MaybeInts, *InWords;
typedef int *OutInts, *InOutInts, *MaybeInOutInts, *OutWords;
/** A weight in whichever storage format. */
typedef const unsigned char *Packed;
/** Temporary memory. */
typedef float *Space;
/** A boolean. (Numbers are `long`, `int` and `float`.) */
typedef int Flag;
/** A list of numbers; only as the last parameter. */
typedef const W *List;

/** What the table of kernels holds: made for each KERNEL by the build. */
typedef void Call(const W *words, int thread, int threads);

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
INLINE long ceilDivide(long x, long y) { return (x + y - 1) / y; }
/** A count that TypeScript needs too, as one expression (no division but ceilDivide): the build hands it over. */
#define SIZE(name, ...) INLINE long name(__VA_ARGS__)

typedef struct { long lo, hi; } Span;
/** The part of [0, n) that falls to this thread, in units of `grain`; depends on the thread count alone, so results repeat. */
INLINE Span share(long n, long grain, int thread, int threads) {
  long long units = (n + grain - 1) / grain; // times the threads it may need more than 31 bits
  Span s = {(long)(units * thread / threads) * grain, (long)(units * (thread + 1) / threads) * grain};
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
