// Functions the elementwise kernels need beside math.wgsl; all keep their relative accuracy near their zeros.

// log by splitting off the exponent: log(1 + f) for f in [sqrt(1/2) - 1, sqrt(2) - 1] as 2 atanh(f / (2 + f)).
// Of x > 0 alone; what lies at the edges is decided by bits (bitsOfLog).
fn logAccurate(x: f32) -> f32 {
  let scaled = select(x, x * 8388608.0f, x < 1.17549435e-38f);
  let bits = bitcast<i32>(scaled);
  let k = (bits - 0x3f3504f3) >> 23u;
  let m = bitcast<f32>(bits - (k << 23u));
  let f = m - 1.0f;
  let s = f / (2.0f + f);
  let w = s * s;
  let tail = w * fma(w, fma(w, fma(w, 0.2222222222f, 0.2857142857f), 0.4f), 0.6666666667f);
  let exponent = f32(k) - select(0.0f, 23.0f, x < 1.17549435e-38f);
  // f - f^2/2 + ... arranged so that f enters unrounded.
  let half = 0.5f * f * f;
  return exponent * 0.693359375f + (f - (half - fma(s, half + tail, exponent * -2.12194440e-4f)));
}

const INFINITY = 0x7f800000u;
const NOT_A_NUMBER = 0x7fc00000u;

// As logAccurate, with every edge: drivers take the logarithm of |x| where x < 0, and make a number of that of 0.
fn bitsOfLog(v: u32) -> u32 {
  let size = v & 0x7fffffffu;
  if (size == 0u) {
    return 0x80000000u | INFINITY;
  }
  if (v >= INFINITY) {
    return select(NOT_A_NUMBER, v, v == INFINITY || size > INFINITY);
  }
  if (v < 0x00800000u) {
    return bitcast<u32>(logAccurate(f32(v)) - 103.2789299f); // a denormal number, which drivers may take for 0: v 2^-149
  }
  return bitcast<u32>(logAccurate(bitcast<f32>(v)));
}

fn log1p(x: f32) -> f32 {
  if (abs(x) < 0.3f) {
    let s = x / (2.0f + x);
    let w = s * s;
    return 2.0f * s * fma(w, fma(w, fma(w, fma(w, 0.1111111111f, 0.1428571429f), 0.2f), 0.3333333333f), 1.0f);
  }
  return select(logAccurate(1.0f + x), x, isNan(x));
}

fn expm1(x: f32) -> f32 {
  if (abs(x) < 0.35f) {
    var p = 2.48015873e-5f;
    p = fma(p, x, 1.98412698e-4f);
    p = fma(p, x, 1.38888889e-3f);
    p = fma(p, x, 8.33333333e-3f);
    p = fma(p, x, 4.16666667e-2f);
    p = fma(p, x, 1.66666667e-1f);
    p = fma(p, x, 0.5f);
    return fma(p * x, x, x);
  }
  return expAccurate(x) - 1.0f;
}

fn tanhAccurate(x: f32) -> f32 {
  let e = expm1(-2.0f * abs(x));
  return sign(x) * (-e / (2.0f + e));
}

// erf x = 2/sqrt(pi) e^(-x^2) sum_n 2^n x^(2n+1) / (2n+1)!!, DLMF 7.6.2, for |x| < 1: nothing cancels.
fn erfSeries(x: f32) -> f32 {
  var term = x;
  var sum = x;
  for (var n = 1; n <= 14; n++) {
    term *= 2.0f * x * x / f32(2 * n + 1);
    sum += term;
  }
  return 1.1283791670955126f * expAccurate(-x * x) * sum;
}

// erfc x for x >= 1 by its continued fraction, DLMF 7.9.1; 50 terms leave 2e-9 at x = 1.
fn erfcFraction(x: f32) -> f32 {
  var tail = x;
  for (var n = 50; n > 0; n--) {
    tail = x + 0.5f * f32(n) / tail;
  }
  return expAccurate(-x * x) * 0.5641895835477563f / tail;
}

fn erf(x: f32) -> f32 {
  let a = min(abs(x), 9.0f);
  if (a < 1.0f || isNan(x)) {
    return erfSeries(x);
  }
  return sign(x) * (1.0f - erfcFraction(a));
}

fn erfc(x: f32) -> f32 {
  if (abs(x) < 1.0f || isNan(x)) {
    return 1.0f - erfSeries(x);
  }
  let tail = erfcFraction(min(abs(x), 9.3f));
  return select(2.0f - tail, tail, x > 0.0f);
}

// x times the normal distribution function.
fn gelu(x: f32) -> f32 {
  return 0.5f * x * erfc(-0.7071067811865476f * x);
}

// sin(x + quarters pi / 2): x less the nearest multiple of pi / 2, in three parts, then a polynomial. Good to |x| of some 10^4.
fn sinQuarter(x: f32, quarters: i32) -> f32 {
  let k = round(x * 0.6366197723675814f);
  let r = ((x - k * 1.5703125f) - k * 4.837512969970703125e-4f) - k * 7.54978995489188216e-8f;
  let w = r * r;
  let quadrant = (i32(k) + quarters) & 3;
  let s = fma(r * w, fma(w, fma(w, -1.9515295891e-4f, 8.3321608736e-3f), -1.6666654611e-1f), r);
  let c = fma(w * w, fma(w, fma(w, 2.443315711809948e-5f, -1.388731625493765e-3f), 4.166664568298827e-2f), fma(w, -0.5f, 1.0f));
  let value = select(s, c, (quadrant & 1) != 0);
  return select(value, -value, quadrant >= 2);
}
