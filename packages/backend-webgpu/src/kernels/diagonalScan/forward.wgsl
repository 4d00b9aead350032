// states_t = ABar_t states_{t-1} + Bu_t over complex numbers, a thread a state of a row.
struct Params { b: u32, l: u32, n: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> ABar: array<vec2f>; // [n] or [b, l, n]
@group(0) @binding(2) var<storage, read> Bu: array<vec2f>; // [b, l, n]
@group(0) @binding(3) var<storage, read> initialState: array<vec2f>; // [b, n]
@group(0) @binding(4) var<storage, read_write> states: array<vec2f>; // [b, l, n]
@group(0) @binding(5) var<storage, read_write> lastState: array<vec2f>; // [b, n]
override VARYING = false;
override REVERSE = false;
override HAS_INITIAL = false;
override KEEP_LAST = false;

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 32u + lane;
  if (i >= params.b * params.n) {
    return;
  }
  let k = i % params.n;
  let row = i / params.n;
  var state = vec2f(0.0f);
  if (HAS_INITIAL) {
    state = initialState[i];
  }
  for (var step = 0u; step < params.l; step++) {
    let token = row * params.l + select(step, params.l - 1u - step, REVERSE);
    let a = ABar[select(k, token * params.n + k, VARYING)];
    state = vec2f(a.x * state.x - a.y * state.y, a.x * state.y + a.y * state.x) + Bu[token * params.n + k];
    states[token * params.n + k] = state;
  }
  if (KEEP_LAST) {
    lastState[i] = state;
  }
}
