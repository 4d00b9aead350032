// Elementary functions that keep their relative accuracy whatever the driver's own exp and log do:
// WGSL lets exp err by 3 + 2|x| ULP and log by 2^-21 absolutely near 1.
const log2e = 1.4426950408889634f;

// exp by range reduction, about 1 ULP; flushes to 0 below -87 and saturates above 88.7 without making an infinity.
fn expAccurate(x: f32) -> f32 {
  let clamped = clamp(x, -87.0f, 88.7f);
  let k = round(clamped * log2e);
  // ln 2 in two parts; the first has so few bits that k times it is exact.
  let r = (clamped - k * 0.693359375f) + k * 2.12194440e-4f;
  var p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  // Half of the exponent twice: 2^128 alone would overflow.
  let half1 = i32(k) / 2;
  let half2 = i32(k) - half1;
  return select(p * bitcast<f32>((half1 + 127) << 23u) * bitcast<f32>((half2 + 127) << 23u), 0.0f, x < -87.0f);
}

// log(1 + e) for e in [0, 1]: 2 atanh(e / (2 + e)).
fn log1pUnit(e: f32) -> f32 {
  let s = e / (2.0f + e);
  let w = s * s;
  var p = 1.0f / 15.0f;
  p = p * w + 1.0f / 13.0f;
  p = p * w + 1.0f / 11.0f;
  p = p * w + 1.0f / 9.0f;
  p = p * w + 1.0f / 7.0f;
  p = p * w + 0.2f;
  p = p * w + 1.0f / 3.0f;
  return 2.0f * s * (1.0f + w * p);
}

fn softplus(x: f32) -> f32 {
  return max(x, 0.0f) + log1pUnit(expAccurate(-abs(x)));
}

fn sigmoid(x: f32) -> f32 {
  let e = expAccurate(-abs(x));
  return select(e, 1.0f, x >= 0.0f) / (1.0f + e);
}

fn silu(x: f32) -> f32 {
  return x * sigmoid(x);
}

// d silu(x) / dx.
fn siluSlope(x: f32) -> f32 {
  let s = sigmoid(x);
  return s * (1.0f + x * (1.0f - s));
}
