// Operands of any size.
alias Word = u32;
@group(0) @binding(1) var<storage, read> A: array<u32>;
@group(0) @binding(2) var<storage, read> B: array<u32>;

fn largest(word: Word) -> u32 {
  return word;
}
