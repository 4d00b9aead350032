fn keyAt(row: u32, j: u32, head: u32) -> u32 {
  return ((row * params.m + j) * params.hkv + head * params.hkv / params.h) * params.p;
}

fn score(query: u32, row: u32, j: u32, head: u32) -> f32 {
  var sum = 0.0f;
  let key = keyAt(row, j, head);
  for (var c = 0u; c < params.p; c++) {
    sum += q[query * params.p + c] * k[key + c];
  }
  return capped(sum * params.scale);
}

// A query sees its own token always, and of those before it the visible ones.
fn sees(row: u32, j: u32, own: u32) -> bool {
  if (HAS_VISIBLE && j < own) {
    return visible[row * params.m + j] != 0.0f;
  }
  return j <= own;
}

// Where the query's sequence begins, or its window.
fn firstKey(row: u32, t: u32) -> u32 {
  let until = params.m - params.l + t + 1u;
  var least = until - min(until, params.window);
  if (HAS_FIRST) {
    least = max(least, u32(first[row * params.l + t]));
  }
  return least;
}
