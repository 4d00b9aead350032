// Floats as halves and back.
#include "halves.h"

/** y [count], x [count, 2] */
KERNEL(toHalves, OutWords y, In x, long count) {
  Span s = share(count, 16, thread, threads);
  storeHalves(y + s.lo, x + 2 * s.lo, s.hi - s.lo);
}

/** y [count, 2], x [count] */
KERNEL(fromHalves, Out y, InWords x, long count) {
  Span s = share(count, 16, thread, threads);
  long i = s.lo;
  for (; i + 4 <= s.hi; i += 4) {
    I4 words = loadInt4(x + i);
    F4 first = floatsOfWords(words, 0), second = floatsOfWords(words, 1);
    store4(y + 2 * i, __builtin_shufflevector(first, second, 0, 4, 1, 5));
    store4(y + 2 * i + 4, __builtin_shufflevector(first, second, 2, 6, 3, 7));
  }
  for (; i < s.hi; i++) {
    y[2 * i] = floatsOfWords(splatInt(x[i]), 0)[0];
    y[2 * i + 1] = floatsOfWords(splatInt(x[i]), 1)[0];
  }
}
