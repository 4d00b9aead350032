// Elementary functions that keep their relative accuracy: WGSL lets exp err by 3 + 2|x| ULP and log by 2^-21 near 1.
const log2e = 1.4426950408889634f;

// exp: what the product with log2(e) rounds off is put back, so that the driver's exp2 alone errs.
// Saturates at e^88.7 and e^-87 rather than make infinities or denormal numbers.
fn expAccurate(x: f32) -> f32 {
  let clamped = clamp(x, -87.0f, 88.7f);
  let t = clamped * log2e;
  let lost = fma(clamped, log2e, -t) + clamped * 1.9259629e-8f;
  return exp2(t) * fma(lost, 0.6931471805599453f, 1.0f);
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
  return max(x, 0.0f) + log1pUnit(expAccurate(-abs(x)));
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
