// Phases of thousands of radians in f32: t times an angle as a fraction of a turn, from an error-free product.

// a b as a sum of two floats (Veltkamp's splitting, Dekker's product).
fn exactProduct(a: f32, b: f32) -> vec2f {
  let product = a * b;
  let sa = 4097.0f * a;
  let ah = sa - (sa - a);
  let al = a - ah;
  let sb = 4097.0f * b;
  let bh = sb - (sb - b);
  let bl = b - bh;
  return vec2f(product, ((ah * bh - product) + ah * bl + al * bh) + al * bl);
}

// cos and sin of t angle.
fn turned(t: f32, angle: f32) -> vec2f {
  // angle / (2 pi) in two floats, then t times that less its whole turns.
  let turns = exactProduct(angle, 0.15915494f);
  let low = turns.y + angle * 6.4206383e-9f;
  let high = exactProduct(t, turns.x);
  var part = high.x - round(high.x);
  part += high.y + t * low;
  part -= round(part);
  let quarters = round(part * 4.0f);
  let radians = (part - quarters * 0.25f) * 6.283185307179586f;
  return vec2f(sinQuarter(radians, i32(quarters) + 1), sinQuarter(radians, i32(quarters)));
}
