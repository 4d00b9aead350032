// Sums log decays along each chunk: differences of sums are exponents, so that what float32 rounds off is kept apart. Not by what the sum
// lost, which some drivers simplify to zero: each log decay is cut into a multiple of 2^-8, whose sums are exact, and the rest.
// A thread a token, which adds up those before it for itself.
//: include parts/chunks.wgsl
//: include ../shared/math.wgsl
@group(0) @binding(1) var<storage, read> coefficients: array<vec4f>; // [b, l, h]: log decay, weight, own weight, restart
@group(0) @binding(2) var<storage, read_write> decays: array<vec4f>; // see parts/decays.wgsl
var<workgroup> steps: array<vec4f, Q>; // multiple, rest, whether a sequence begins
var<workgroup> end: vec4f; // the sums over the chunk

@compute @workgroup_size(Q)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) q: u32) {
  let id = group.x + group.y * groups.x;
  if (id >= params.batch) {
    return;
  }
  begin(id, params.h);
  let t = firstToken() + q;
  var c = vec4f(0.0f);
  if (t < params.l) {
    c = coefficients[(own.x * params.l + t) * params.h + own.z];
  }
  // Beyond e^-128 nothing is left to tell apart; the sums of 256 tokens then have no more than 24 bits.
  let logDecay = select(clamp(c.x, -128.0f, 128.0f), c.x, isNan(c.x));
  let whole = floor(fma(logDecay, 256.0f, 0.5f)) * 0.00390625f;
  steps[q] = vec4f(whole, logDecay - whole, c.w, 0.0f);
  workgroupBarrier();
  var sums = vec2f(0.0f);
  var restarts = 0.0f;
  for (var i = 0u; i <= q; i++) {
    let step = steps[i];
    let begins = step.z != 0.0f;
    sums = select(sums + step.xy, vec2f(0.0f), begins);
    restarts += select(0.0f, 1.0f, begins);
  }
  if (q == Q - 1u) {
    end = vec4f(sums, restarts, 0.0f);
  }
  workgroupBarrier();
  let fromStart = select(0.0f, expAccurate(sums.x + sums.y), restarts == 0.0f);
  let toEnd = select(0.0f, expAccurate((end.x - sums.x) + (end.y - sums.y)), restarts == end.z);
  decays[2u * (id * Q + q)] = vec4f(sums, restarts, c.y);
  decays[2u * (id * Q + q) + 1u] = vec4f(c.z, fromStart, toEnd, select(0.0f, 1.0f, restarts == 0.0f));
}
