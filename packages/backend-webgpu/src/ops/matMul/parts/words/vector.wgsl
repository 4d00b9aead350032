// Operands of whole vec4s.
alias Word = vec4u;
@group(0) @binding(1) var<storage, read> A: array<vec4u>;
@group(0) @binding(2) var<storage, read> B: array<vec4u>;

fn largest(word: Word) -> u32 {
  return max(max(word.x, word.y), max(word.z, word.w));
}
