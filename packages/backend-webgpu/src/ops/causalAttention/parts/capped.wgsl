// A score, bounded where there is a cap, and by how much it moves with what it was before.
fn capped(score: f32) -> f32 {
  if (CAPPED) {
    return params.softCap * tanhAccurate(score / params.softCap);
  }
  return score;
}

fn cappedSlope(bounded: f32) -> f32 {
  if (CAPPED) {
    let part = bounded / params.softCap;
    return 1.0f - part * part;
  }
  return 1.0f;
}
