// What a product reads, made once a workgroup and kept in its memory, where K says of how many numbers (0: read from memory as it is wanted).
// A thread takes WIDTH quads of a word of the weight: laid out by their place in the word, neighbours read neighbouring quads.
const STAGED = K > 0u;
const STAGED_QUADS = max(K / 4u, 1u);
var<workgroup> staged: array<vec4f, STAGED_QUADS>;
var<workgroup> squared: array<f32, select(1u, STAGED_QUADS, STAGED && NORM_SQUARES)>;

fn stagedPlace(q: u32) -> u32 {
  return q % WIDTH * (STAGED_QUADS / WIDTH) + q / WIDTH;
}

fn stageInput(lid: u32) {
  for (var q = lid; q < STAGED_QUADS; q += WG) {
    let input = inputAt(q);
    staged[stagedPlace(q)] = weighted(input, q);
    if (NORM_SQUARES) {
      squared[q] = dot(input, input);
    }
  }
  workgroupBarrier();
}

// A thread's part of the sum of squares.
fn stagedSquares(lane: u32) -> f32 {
  var sum = 0.0f;
  for (var q = lane; q < STAGED_QUADS; q += LANES) {
    sum += squared[q];
  }
  return sum;
}
