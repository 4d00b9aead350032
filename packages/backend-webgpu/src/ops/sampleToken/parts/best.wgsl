// The best so far or a later score, where that is larger.
fn better(best: vec2u, score: f32, i: u32) -> vec2u {
  let isNumber = (bitcast<u32>(score) & 0x7fffffffu) <= 0x7f800000u;
  let key = select(0xffffffffu, keyOf(score), isNumber);
  return select(best, vec2u(key, i), key > best.x);
}

// Every WG-th score from the first on, the last of the row in place of those past it.
fn four(row: Row, first: u32) -> vec4f {
  let i = min(first + vec4u(0u, WG, 2u * WG, 3u * WG), vec4u(params.v - 1u));
  return vec4f(scoreAt(row, i.x), scoreAt(row, i.y), scoreAt(row, i.z), scoreAt(row, i.w));
}

fn bestOfFour(before: vec2u, scores: vec4f, first: u32) -> vec2u {
  var best = before;
  for (var a = 0u; a < 4u; a++) {
    best = better(best, scores[a], min(first + a * WG, params.v - 1u));
  }
  return best;
}

// Key and id of the largest score, the lowest id of equals; a key of ~0 where there is a NaN.
fn bestOf(row: Row, lid: u32) -> vec2u {
  var best = vec2u(0u, range.x);
  if (HAS_COUNTS) {
    for (var i = range.x; i < range.y; i++) {
      best = better(best, scoreAt(row, i), i);
    }
  } else {
    // Nothing was written before: neighbours read neighbours, eight of each thread's on their way at once.
    for (var first = lid; first < params.v; first += 8u * WG) {
      let near = four(row, first);
      let far = four(row, first + 4u * WG);
      best = bestOfFour(bestOfFour(best, near, first), far, first + 4u * WG);
    }
  }
  parts[lid] = best;
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lid < half) {
      let other = parts[lid + half];
      if (other.x > parts[lid].x || (other.x == parts[lid].x && other.y < parts[lid].y)) {
        parts[lid] = other;
      }
    }
  }
  return workgroupUniformLoad(&parts[0]);
}
