// Sets the weights of tokens to 0 that top-p drops: of those at the threshold the lowest ids stay.
fn trimTopP(row: Row, mass: vec2u, topP: f32, lid: u32) {
  var limit = shareOf(mass, u32(topP * 4294967296.0f));
  limit = vec2u(max(limit.x, select(1u, 0u, limit.y > 0u)), limit.y);
  let threshold = descend(row, limit, false, lid);
  let rest = sub64(limit, threshold.yz);
  let weight = fixedWeight((row.best - scoreOf(threshold.x)) * row.sharpness);
  // The fewest tokens of that weight that reach the rest.
  var keep = 0u;
  for (var step = 1u << 21u; step > 0u; step >>= 1u) {
    if (less64(product(keep + step - 1u, weight), rest)) {
      keep += step;
    }
  }
  var equals = 0u;
  for (var i = range.x; i < range.y; i++) {
    equals += select(0u, 1u, keyOf(scoreAt(row, i)) == threshold.x);
  }
  var rank = sumsOf(vec2u(equals, 0u), lid).before.x;
  for (var i = range.x; i < range.y; i++) {
    let key = keyOf(scoreAt(row, i));
    if (key < threshold.x || (key == threshold.x && rank >= keep)) {
      scratch[weightPlace(row, i)] = 0u;
    }
    rank += select(0u, 1u, key == threshold.x);
  }
}

// Draws among what top-k, top-p and min-p keep.
fn draw(row: Row, word: u32, lid: u32) {
  let topK = settings[8u * row.index + 1u];
  let topP = settings[8u * row.index + 2u];
  var lowest = 0u;
  if (topK > 0.0f && topK < f32(params.v)) {
    lowest = descend(row, vec2u(u32(topK), 0u), true, lid).x;
  }
  var mass = vec2u(0u);
  for (var i = range.x; i < range.y; i++) {
    let score = scoreAt(row, i);
    let weight = select(fixedWeight((row.best - score) * row.sharpness), 0u, keyOf(score) < lowest);
    scratch[weightPlace(row, i)] = weight;
    mass = add64(mass, vec2u(weight, 0u));
  }
  if (topP < 1.0f) {
    trimTopP(row, sumsOf(mass, lid).total, topP, lid);
  }
  let lightest = u32(settings[8u * row.index + 3u] * 2147483648.0f);
  let heaviest = fixedWeight(0.0f);
  mass = vec2u(0u);
  for (var i = range.x; i < range.y; i++) {
    var weight = scratch[weightPlace(row, i)];
    if (weight < lightest && weight != heaviest) {
      weight = 0u;
      scratch[weightPlace(row, i)] = 0u;
    }
    mass = add64(mass, vec2u(weight, 0u));
  }
  let sums = sumsOf(mass, lid);
  let mark = shareOf(sums.total, word);
  var before = sums.before;
  if (!less64(mark, before) && less64(mark, add64(before, mass))) {
    for (var i = range.x; i < range.y; i++) {
      let next = add64(before, vec2u(scratch[weightPlace(row, i)], 0u));
      if (less64(mark, next)) {
        chosen = i32(i);
        break;
      }
      before = next;
    }
  }
}
