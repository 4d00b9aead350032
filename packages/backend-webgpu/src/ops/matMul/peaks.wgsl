// Largest finite magnitude of each of two operands, a part a workgroup: what halves.wgsl scales them by.
//: variant IO = vector | scalar
struct Params { sizeA: u32, sizeB: u32 } // words
@group(0) @binding(0) var<uniform> params: Params;
//: include parts/words/$IO.wgsl
@group(0) @binding(3) var<storage, read_write> peaks: array<u32>; // [2, groups], bits of f32
const WG = 256u;
var<workgroup> highest: atomic<u32>;

// Bits of a magnitude, which order as numbers do; 0 for what is not finite.
fn magnitude(bits: Word) -> Word {
  let size = bits & Word(0x7fffffffu);
  return select(Word(0u), size, size < Word(0x7f800000u));
}

fn brought(operand: u32, at: u32, size: u32) -> Word {
  if (operand == 0u) {
    return select(Word(0u), magnitude(A[at]), at < size);
  }
  return select(Word(0u), magnitude(B[at]), at < size);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
  let stride = groups.x * WG;
  let size = select(params.sizeB, params.sizeA, group.y == 0u);
  var best = Word(0u);
  for (var i = group.x * WG + lid; i < size; i += 4u * stride) {
    let low = max(brought(group.y, i, size), brought(group.y, i + stride, size));
    let high = max(brought(group.y, i + 2u * stride, size), brought(group.y, i + 3u * stride, size));
    best = max(best, max(low, high));
  }
  atomicMax(&highest, largest(best));
  workgroupBarrier();
  if (lid == 0u) {
    peaks[group.y * groups.x + group.x] = atomicLoad(&highest);
  }
}
