// Thresholds of a row found digit by digit, from sums over all its threads.
// What lies before the thread's part, and all of it.
struct Sums { before: vec2u, total: vec2u }

// Over the threads in their order, by way of sums over BLOCK of them.
fn sumsOf(part: vec2u, lid: u32) -> Sums {
  workgroupBarrier();
  parts[lid] = part;
  workgroupBarrier();
  if (lid < WG / BLOCK) {
    var sum = vec2u(0u);
    for (var i = 0u; i < BLOCK; i++) {
      sum = add64(sum, parts[lid * BLOCK + i]);
    }
    blocks[lid] = sum;
  }
  workgroupBarrier();
  var sums = Sums(vec2u(0u), vec2u(0u));
  for (var i = 0u; i < WG / BLOCK; i++) {
    if (i == lid / BLOCK) {
      sums.before = sums.total;
    }
    sums.total = add64(sums.total, blocks[i]);
  }
  for (var i = lid - lid % BLOCK; i < lid; i++) {
    sums.before = add64(sums.before, parts[i]);
  }
  return sums;
}

fn binSum(digit: u32) -> vec2u {
  let middle = atomicLoad(&bins[256u + digit]);
  let high = atomicLoad(&bins[512u + digit]);
  let low = add64(vec2u(atomicLoad(&bins[digit]), 0u), vec2u(middle << 11u, middle >> 21u));
  return add64(low, vec2u(high << 22u, high >> 10u));
}

// The smallest key such that what lies above it amounts to less than `limit`, and that amount: digit by digit from the top.
fn descend(row: Row, limit: vec2u, byCount: bool, lid: u32) -> vec3u {
  var threshold = vec3u(0u);
  for (var digits = 4u; digits > 0u; digits--) {
    let shift = 8u * (digits - 1u);
    for (var i = lid; i < 768u; i += WG) {
      atomicStore(&bins[i], 0u);
    }
    workgroupBarrier();
    for (var i = range.x; i < range.y; i++) {
      let key = keyOf(scoreAt(row, i));
      if (digits == 4u || (key ^ threshold.x) >> (shift + 8u) == 0u) {
        let digit = (key >> shift) & 255u;
        if (byCount) {
          atomicAdd(&bins[digit], 1u);
        } else {
          let weight = scratch[weightPlace(row, i)];
          atomicAdd(&bins[digit], weight & 0x7ffu);
          atomicAdd(&bins[256u + digit], (weight >> 11u) & 0x7ffu);
          atomicAdd(&bins[512u + digit], weight >> 22u);
        }
      }
    }
    workgroupBarrier();
    // A thread a digit, the largest first: one of them reaches the limit.
    var own = vec2u(0u);
    if (lid < 256u) {
      own = binSum(255u - lid);
    }
    let above = add64(threshold.yz, sumsOf(own, lid).before);
    if (lid < 256u && less64(above, limit) && !less64(add64(above, own), limit)) {
      found = vec3u(threshold.x | ((255u - lid) << shift), above);
    }
    threshold = workgroupUniformLoad(&found);
  }
  return threshold;
}
