// Entry c of the vector that begins at `base`, turned by the angles of position t: r / 2 cosines, then as many sines.
fn turned(base: u32, c: u32, t: u32) -> f32 {
  if (c >= params.r) {
    return element(base + c);
  }
  let half = params.r / 2u;
  let pair = select(c % half, c / 2u, INTERLEAVED);
  let isSecond = select(c >= half, c % 2u == 1u, INTERLEAVED);
  let apart = select(half, 1u, INTERLEAVED);
  let cosine = rotary[t * params.r + pair];
  let sine = rotary[t * params.r + half + pair];
  if (isSecond) {
    return element(base + c) * cosine + element(base + c - apart) * sine;
  }
  return element(base + c) * cosine - element(base + c + apart) * sine;
}
