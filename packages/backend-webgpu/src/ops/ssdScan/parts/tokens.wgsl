// The decays of a chunk's tokens in workgroup memory, for products that need them at every element.
var<workgroup> staged: array<vec4f, 2u * Q>;

// Brings those of a chunk and head; all threads of the workgroup call it.
fn stageTokens(owner: u32, lid: u32) {
  workgroupBarrier();
  for (var i = lid; i < 2u * Q; i += TX * TY) {
    staged[i] = decays[2u * owner * Q + i];
  }
  workgroupBarrier();
}

// Whether two rows of the chunk are of one sequence.
fn sameSequence(m: u32, k: u32) -> bool {
  return staged[2u * (min(m, ROWS - 1u) / R)].z == staged[2u * (k / R)].z;
}

// Whether a row is of the sequence that the state before the chunk (AFTER: after it) is of.
fn ofStates(m: u32, AFTER: bool) -> bool {
  return staged[2u * (min(m, ROWS - 1u) / R)].z == select(0.0f, staged[2u * (Q - 1u)].z, AFTER);
}

fn stagedToken(q: u32) -> Token {
  let a = staged[2u * q];
  let b = staged[2u * q + 1u];
  return Token(a.x, a.y, a.z, a.w, b.x, b.y, b.z);
}
