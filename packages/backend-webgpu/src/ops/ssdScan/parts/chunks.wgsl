// A sequence in chunks of Q tokens; a token has R rows (ranks; 1 but for Mamba-3's MIMO), so that a chunk of a head has ROWS rows.
const Q = 64u;
const R = 1u;
const P = 64u; // width of a value row
const N = 64u; // width of a key row
const ROWS = Q * R;

struct Params { l: u32, h: u32, g: u32, chunks: u32, batch: u32, offset: u32, firstChunk: u32 } // batch: products to make
@group(0) @binding(0) var<uniform> params: Params;

// The product that a workgroup belongs to: row of the batch, chunk, head (or group).
var<private> own: vec3u;
var<private> block: u32;

fn begin(id: u32, heads: u32) {
  block = id;
  own = vec3u(id / (params.chunks * heads), id / heads % params.chunks, id % heads);
}

// Number in its row of the chunk's first token; a long row is done in segments, the first chunk of which is given.
fn firstToken() -> u32 {
  return (params.firstChunk + own.y) * Q;
}

fn inside(m: u32) -> bool {
  return m < ROWS && firstToken() + m / R < params.l;
}

// Number of row m of the chunk among all rows [b, l, heads, r].
fn rowAt(m: u32, heads: u32, head: u32) -> u32 {
  let t = min(firstToken() + m / R, params.l - 1u);
  return ((own.x * params.l + t) * heads + head) * R + m % R;
}
