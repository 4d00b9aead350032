// Thread pool: one control block in the memory all instances share, a list of commands run by every thread in step.
#include "rt.h"

extern Call *const kernels[]; /* written by scripts/compile.ts from the KERNELs of these sources */

/** Words that different threads write stand on cache lines of their own. */
typedef struct {
  _Alignas(64) volatile int generation; /* bumped by the caller: a list is ready */
  _Alignas(64) volatile int arrived;    /* threads at the current barrier */
  _Alignas(64) volatile int phase;      /* bumped by the last to arrive */
  _Alignas(64) volatile int sleepers;   /* threads in an Atomics.wait on generation or phase */
  volatile int stop;                    /* a thread failed or the pool ends: every wait returns */
  volatile int mayBlock;                /* 0 where the caller must not wait (a browser's main thread): it spins */
  _Alignas(64) const W *list;
  long count, threads;
} Control;

static Control control;
static char *scratchBase;

/** Told by the caller's wait every 20 ms or so, with how often by now: throws when a worker is taken for dead. */
__attribute__((import_module("env"), import_name("stalled"))) void stalled(int times);

void *scratchOf(int thread) { return scratchBase + (UW)thread * SCRATCH_BYTES; }

#ifdef __wasm__
/*
 * How often a thread looks before it sleeps. To wake one costs as much as a small product, so where all threads have cores they wait some
 * half a millisecond, longer than they are apart at a barrier or the JavaScript between two launches; that is far shorter than a frame.
 * Where others want the cores, the one that is waited for does not run, and looking keeps it from running: then 50 us.
 */
#define MOST_SPINS 200000
#define LEAST_SPINS 20000
#define PATIENT 256
/** Of each thread, how often it looks the next time: half as often after it slept, a little more often after it had not to. */
static struct { _Alignas(64) int fewer; } patience[PATIENT]; /* than most */

INLINE int spinsOf(int thread) { return MOST_SPINS - patience[thread % PATIENT].fewer; }
INLINE void slept(int thread) {
  int spins = spinsOf(thread) / 2;
  patience[thread % PATIENT].fewer = MOST_SPINS - (spins < LEAST_SPINS ? LEAST_SPINS : spins);
}
INLINE void wasReady(int thread) {
  int spins = spinsOf(thread) + spinsOf(thread) / 64;
  patience[thread % PATIENT].fewer = MOST_SPINS - (spins > MOST_SPINS ? MOST_SPINS : spins);
}

INLINE void sleepOn(volatile int *word, int seen, long long nanoseconds) {
  __atomic_fetch_add(&control.sleepers, 1, __ATOMIC_SEQ_CST);
  __builtin_wasm_memory_atomic_wait32((int *)word, seen, nanoseconds);
  __atomic_fetch_sub(&control.sleepers, 1, __ATOMIC_SEQ_CST);
}
INLINE void wake(volatile int *word) {
  if (__atomic_load_n(&control.sleepers, __ATOMIC_SEQ_CST)) __builtin_wasm_memory_atomic_notify((int *)word, 0x7fffffff);
}

/** Waits until *word != seen; 1 when the pool stops instead. */
static int await(volatile int *word, int seen, int thread) {
  long spins = 0, most = spinsOf(thread);
  int times = 0;
  while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == seen) {
    if (control.stop) return 1;
    if (++spins < most) continue;
    if (spins == most) slept(thread);
    if (thread) sleepOn(word, seen, -1);
    else if (control.mayBlock) {
      sleepOn(word, seen, 20000000);
      stalled(++times);
    } else if (spins % 2000000 == 0) stalled(++times);
  }
  if (spins < most) wasReady(thread);
  return control.stop;
}

static int meet(int thread, int threads) {
  if (threads == 1) return 0;
  int phase = control.phase;
  if (__atomic_add_fetch(&control.arrived, 1, __ATOMIC_ACQ_REL) == threads) {
    control.arrived = 0;
    __atomic_store_n(&control.phase, phase + 1, __ATOMIC_SEQ_CST);
    wake(&control.phase);
    return control.stop;
  }
  return await(&control.phase, phase, thread);
}
void barrier(int thread, int threads) {
  if (meet(thread, threads)) __builtin_trap();
}

/** A command is op, serial (1: the caller alone runs it), and a pointer to its argument words. */
static int runList(const W *list, long count, int thread, int threads) {
  int pending = 0;
  for (long i = 0; i < count; i++, list += 3) {
    int serial = (int)list[1];
    if (pending || (i > 0 && !serial)) {
      if (meet(thread, threads)) return 1;
    }
    if (!serial) kernels[list[0]]((const W *)list[2], thread, threads);
    else if (thread == 0) kernels[list[0]]((const W *)list[2], 0, 1);
    pending = !serial;
  }
  return meet(thread, threads);
}

__attribute__((export_name("runAlone"))) void runAlone(const W *list, long count) {
  for (long i = 0; i < count; i++, list += 3) kernels[list[0]]((const W *)list[2], 0, 1);
}
__attribute__((export_name("runTogether"))) int runTogether(const W *list, long count, int threads) {
  control.list = list;
  control.count = count;
  control.threads = threads;
  __atomic_add_fetch(&control.generation, 1, __ATOMIC_SEQ_CST);
  wake(&control.generation);
  return runList(list, count, 0, threads);
}
/** A worker's life: returns when the pool stops. */
__attribute__((export_name("serve"))) void serve(int thread) {
  int seen = 0;
  for (;;) {
    if (await(&control.generation, seen, thread)) return;
    seen++;
    if (runList(control.list, control.count, thread, (int)control.threads)) return;
  }
}
__attribute__((export_name("stop"))) void stop(void) {
  control.stop = 1;
  __builtin_wasm_memory_atomic_notify((int *)&control.generation, 0x7fffffff);
  __builtin_wasm_memory_atomic_notify((int *)&control.phase, 0x7fffffff);
}
__attribute__((export_name("setup"))) void setup(char *scratch, int mayBlock) {
  scratchBase = scratch;
  control.mayBlock = mayBlock;
}
#endif
