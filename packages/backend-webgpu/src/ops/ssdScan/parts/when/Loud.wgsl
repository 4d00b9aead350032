// Products to make in f32 after half floats: all of them where an operand was left to f32, none otherwise.
@group(0) @binding(5) var<storage, read> loud: array<u32>;
fn wanted() -> u32 {
  return select(0u, params.batch, loud[0] != 0u);
}
