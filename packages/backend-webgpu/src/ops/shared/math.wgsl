// Elementary functions that keep their relative accuracy: WGSL lets exp err by 3 + 2|x| ULP and log by 2^-21 near 1.
const log2e = 1.4426950408889634f;

// By its bits: a compiler may take it that no float is NaN, but not that bits are not these.
fn isNan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

fn isNan4(x: vec4f) -> vec4<bool> {
  return (bitcast<vec4u>(x) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
}

// exp2 as the driver has it, and NaN of NaN, of which drivers make infinity, 0 or 1.
fn exp2KeepingNan(x: f32) -> f32 {
  return select(exp2(x), x, isNan(x));
}

// exp by range reduction and a polynomial (1 + f + f^2 p(f), least error for |f| <= ln 2 / 2), of products and sums alone: it errs by
// at most 1.4 of 2^-24, whatever the driver's exp2 does and whether or not its fma rounds once (n times the first part of ln 2 is exact: that part has nine bits).
// Saturates at e^88.7 and e^-87 rather than make infinities or denormal numbers; of NaN it is NaN.
fn expAccurate(x: f32) -> f32 {
  let clamped = clamp(x, -87.0f, 88.7f);
  let n = floor(fma(clamped, log2e, 0.5f));
  let f = fma(n, 2.12194440e-4f, fma(n, -0.693359375f, clamped));
  var p = 1.9790341e-4f;
  p = fma(p, f, 1.3944659e-3f);
  p = fma(p, f, 8.3334967e-3f);
  p = fma(p, f, 4.1666295e-2f);
  p = fma(p, f, 1.6666666e-1f);
  p = fma(p, f, 0.5f);
  return select((fma(p, f * f, f) + 1.0f) * bitcast<f32>(u32(i32(n) + 127) << 23u), x, isNan(x));
}

// log(1 + e) for e in [0, 1], by the polynomial that errs least.
fn log1pUnit(e: f32) -> f32 {
  var p = -3.256378463e-03f;
  p = fma(p, e, 1.990716159e-02f);
  p = fma(p, e, -5.706420168e-02f);
  p = fma(p, e, 1.061426476e-01f);
  p = fma(p, e, -1.531186253e-01f);
  p = fma(p, e, 1.967811733e-01f);
  p = fma(p, e, -2.495455891e-01f);
  p = fma(p, e, 3.333000541e-01f);
  p = fma(p, e, -4.999990463e-01f);
  p = fma(p, e, 1.000000000e+00f);
  return p * e;
}

fn softplus(x: f32) -> f32 {
  // The first part is max(x, 0), and NaN where x is.
  return select(0.0f, x, x > 0.0f || isNan(x)) + log1pUnit(expAccurate(-abs(x)));
}

fn sigmoid(x: f32) -> f32 {
  return 1.0f / (1.0f + expAccurate(-x));
}

fn silu(x: f32) -> f32 {
  return x * sigmoid(x);
}

// d silu(x) / dx.
fn siluSlope(x: f32) -> f32 {
  let s = sigmoid(x);
  return s * (1.0f + x * (1.0f - s));
}
