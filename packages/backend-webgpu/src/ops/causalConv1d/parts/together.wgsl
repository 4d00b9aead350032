// Whether no other sequence begins in (s, t]: ids may come back, so they are compared step by step. What lies before the row's start
// belongs to its first sequence.
fn together(row: u32, s: i32, t: i32) -> bool {
  if (HAS_SEQ) {
    for (var i = max(s, 0); i < t; i++) {
      let at = row * params.l + u32(i);
      if (seqIdx[at] != seqIdx[at + 1u]) {
        return false;
      }
    }
  }
  return true;
}
