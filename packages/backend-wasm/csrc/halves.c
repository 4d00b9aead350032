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
  loadHalves(y + 2 * s.lo, x + s.lo, s.hi - s.lo);
}
