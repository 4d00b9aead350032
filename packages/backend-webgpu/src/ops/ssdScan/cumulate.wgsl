// Sums log decays along each chunk: differences of sums are exponents, so that what float32 rounds off is kept apart. Not by what the sum
// lost, which some drivers simplify to zero: each log decay is cut into a multiple of 2^-8, whose sums are exact, and the rest.
//: include parts/chunks.wgsl
//: include ../shared/math.wgsl
@group(0) @binding(1) var<storage, read> coefficients: array<vec4f>; // [b, l, h]: log decay, weight, own weight, restart
@group(0) @binding(2) var<storage, read_write> decays: array<vec4f>; // see parts/decays.wgsl

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let id = (group.x + group.y * groups.x) * 64u + lid;
  if (id >= params.batch) {
    return;
  }
  begin(id, params.h);
  var sum = 0.0f;
  var rest = 0.0f;
  var restarts = 0.0f;
  for (var q = 0u; q < Q; q++) {
    let t = firstToken() + q;
    var c = vec4f(0.0f);
    if (t < params.l) {
      c = coefficients[(own.x * params.l + t) * params.h + own.z];
    }
    if (c.w != 0.0f) {
      sum = 0.0f;
      rest = 0.0f;
      restarts += 1.0f;
    } else {
      // Beyond e^-128 nothing is left to tell apart; the sums of 256 tokens then have no more than 24 bits.
      let logDecay = select(clamp(c.x, -128.0f, 128.0f), c.x, isNan(c.x));
      let whole = floor(fma(logDecay, 256.0f, 0.5f)) * 0.00390625f;
      rest += logDecay - whole;
      sum += whole;
    }
    decays[2u * (id * Q + q)] = vec4f(sum, rest, restarts, c.y);
    decays[2u * (id * Q + q) + 1u] = vec4f(c.z, select(0.0f, expAccurate(sum + rest), restarts == 0.0f), 0.0f, 0.0f);
  }
  for (var q = 0u; q < Q; q++) {
    let a = decays[2u * (id * Q + q)];
    let b = decays[2u * (id * Q + q) + 1u];
    decays[2u * (id * Q + q) + 1u] = vec4f(b.xy, select(0.0f, expAccurate((sum - a.x) + (rest - a.y)), restarts == a.z), select(0.0f, 1.0f, a.z == 0.0f));
  }
}
