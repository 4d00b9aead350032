// The adjoint runs the other way with the conjugate decay, g_t = dStates_t + conj(ABar_{t+1}) g_{t+1};
// dBu_t = g_t, dABar_t = g_t conj(state_{t-1}), and the initial state gets conj(ABar_first) g_first.
struct Params { b: u32, l: u32, n: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> ABar: array<vec2f>; // [n] or [b, l, n]
@group(0) @binding(2) var<storage, read> initialState: array<vec2f>; // [b, n]
@group(0) @binding(3) var<storage, read> states: array<vec2f>; // [b, l, n]
@group(0) @binding(4) var<storage, read> dStates: array<vec2f>; // [b, l, n]
@group(0) @binding(5) var<storage, read> dLastState: array<vec2f>; // [b, n]
@group(0) @binding(6) var<storage, read_write> dABar: array<vec2f>; // [b, l, n], or [b, n] of sums over l
@group(0) @binding(7) var<storage, read_write> dBu: array<vec2f>; // [b, l, n]
@group(0) @binding(8) var<storage, read_write> dInitial: array<vec2f>; // [b, n]
override VARYING = false;
override REVERSE = false;
override HAS_INITIAL = false;
override HAS_DSTATES = false;
override HAS_DLAST = false;

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = (group.x + group.y * groups.x) * 32u + lane;
  if (i >= params.b * params.n) {
    return;
  }
  let k = i % params.n;
  let row = i / params.n;
  var g = vec2f(0.0f);
  var sum = vec2f(0.0f);
  if (HAS_DLAST) {
    g = dLastState[i];
  }
  for (var back = 0u; back < params.l; back++) {
    let step = params.l - 1u - back;
    let token = row * params.l + select(step, back, REVERSE);
    let at = token * params.n + k;
    if (HAS_DSTATES) {
      g += dStates[at];
    }
    dBu[at] = g;
    var before = vec2f(0.0f);
    if (step > 0u) {
      before = states[select(at - params.n, at + params.n, REVERSE)];
    } else if (HAS_INITIAL) {
      before = initialState[i];
    }
    let slope = vec2f(g.x * before.x + g.y * before.y, g.y * before.x - g.x * before.y);
    if (VARYING) {
      dABar[at] = slope;
    } else {
      sum += slope;
    }
    let a = ABar[select(k, at, VARYING)];
    g = vec2f(a.x * g.x + a.y * g.y, a.x * g.y - a.y * g.x);
  }
  if (!VARYING) {
    dABar[i] = sum;
  }
  if (HAS_INITIAL) {
    dInitial[i] = g;
  }
}
