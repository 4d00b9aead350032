// Sine and cosine in double, for the constants of transforms and filters: error below 2e-16 + |x| 1e-16.
#pragma once
#include "vmath.h"

typedef struct { double re, im; } Complex;
INLINE Complex complexTimes(Complex x, Complex y) {
  Complex z = {x.re * y.re - x.im * y.im, x.re * y.im + x.im * y.re};
  return z;
}
/** cos x + i sin x: quarter turns taken off in two parts (Cody and Waite, as fdlibm does), then Taylor series. */
INLINE Complex turnOf(double x) {
  double k = __builtin_rint(x * 0.63661977236758134);
  if (!(k < 1e9 && k > -1e9)) return (Complex){__builtin_nan(""), __builtin_nan("")};
  double r = (x - k * 1.57079632673412561417) - k * 6.07710050650619224932e-11, z = r * r, s = 1, c = 1;
  for (int i = 16; i >= 2; i -= 2) s = 1 - s * z / (i * (i + 1));
  for (int i = 17; i >= 1; i -= 2) c = 1 - c * z / (i * (i + 1));
  s *= r;
  switch ((int)k & 3) {
    case 0: return (Complex){c, s};
    case 1: return (Complex){-s, c};
    case 2: return (Complex){-c, -s};
    default: return (Complex){s, -c};
  }
}
/** e^x for a complex x. */
INLINE Complex complexExp(double re, double im) {
  double size = exp1Double(re);
  Complex turn = turnOf(im);
  return (Complex){size * turn.re, size * turn.im};
}
