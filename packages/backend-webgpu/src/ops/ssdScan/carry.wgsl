// Carries states over the chunks of a row: in: what each chunk adds; out: the state before each chunk (REVERSE: after it).
//: include parts/chunks.wgsl
@group(0) @binding(1) var<storage, read> decays: array<vec4f>; // see parts/decays.wgsl
@group(0) @binding(2) var<storage, read> initial: array<f32>; //: if HAS_INITIAL // [b, h, p, n]
@group(0) @binding(3) var<storage, read_write> states: array<f32>; // [b, chunks, h, p, n]
@group(0) @binding(4) var<storage, read_write> last: array<f32>; //: if KEEP_LAST // [b, h, p, n]
override HAS_INITIAL = false;
override KEEP_LAST = false;
override REVERSE = false;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  const size = P * N;
  let i = (group.x + group.y * groups.x) * 64u + lid;
  if (i >= params.batch) {
    return;
  }
  let row = i / (params.h * size);
  let head = i / size % params.h;
  var state = 0.0f;
  if (HAS_INITIAL) {
    state = initial[i];
  }
  for (var step = 0u; step < params.chunks; step++) {
    let chunk = select(step, params.chunks - 1u - step, REVERSE);
    let block = (row * params.chunks + chunk) * params.h + head;
    let added = states[block * size + i % size];
    states[block * size + i % size] = state;
    state = fma(decays[2u * (block * Q + Q - 1u) + 1u].y, state, added);
  }
  if (KEEP_LAST) {
    last[i] = state;
  }
}
