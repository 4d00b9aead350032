// Carries states over the chunks of a row: in: what each chunk adds; out: the state before each chunk (REVERSE: after it).
// A thread carries WIDTH elements that follow one another.
//: variant WIDTH = 2 | 1
//: include parts/chunks.wgsl
//: include parts/carry/$WIDTH.wgsl
@group(0) @binding(1) var<storage, read> decays: array<vec4f>; // see parts/decays.wgsl
@group(0) @binding(2) var<storage, read> initial: array<Carried>; //: if HAS_INITIAL // [b, h, p, n]
@group(0) @binding(3) var<storage, read_write> states: array<Carried>; // [b, chunks, h, p, n]
@group(0) @binding(4) var<storage, read_write> last: array<Carried>; //: if KEEP_LAST // [b, h, p, n]
override HAS_INITIAL = false;
override KEEP_LAST = false;
override REVERSE = false;

// Chunks whose states are on their way from memory at once.
const AHEAD = 8u;

fn blockAt(row: u32, head: u32, step: u32) -> u32 {
  return (row * params.chunks + select(step, params.chunks - 1u - step, REVERSE)) * params.h + head;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  const size = P * N / WIDTH;
  let i = (group.x + group.y * groups.x) * 64u + lid;
  if (i >= params.batch) {
    return;
  }
  let row = i / (params.h * size);
  let head = i / size % params.h;
  var state = Carried();
  if (HAS_INITIAL) {
    state = initial[i];
  }
  for (var first = 0u; first < params.chunks; first += AHEAD) {
    var added: array<Carried, AHEAD>;
    var decay: array<vec2f, AHEAD>; // and whether the sequence goes on
    //: unroll
    for (var a = 0u; a < AHEAD; a++) {
      let block = blockAt(row, head, min(first + a, params.chunks - 1u));
      added[a] = states[block * size + i % size];
      decay[a] = decays[2u * (block * Q + Q - 1u) + 1u].yw;
    }
    //: unroll
    for (var a = 0u; a < AHEAD; a++) {
      if (first + a < params.chunks) {
        states[blockAt(row, head, first + a) * size + i % size] = state;
        state = select(added[a], fma(Carried(decay[a].x), state, added[a]), decay[a].y > 0.0f);
      }
    }
  }
  if (KEEP_LAST) {
    last[i] = state;
  }
}
