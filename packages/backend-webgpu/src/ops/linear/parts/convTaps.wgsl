// One step of the causal convolution of a channel.
struct Taps { bias: f32, taps: array<f32, TAPS>, past: array<f32, TAPS> }

fn loadTaps(channel: u32) -> Taps {
  var after = Taps();
  if (CONV_BIAS) {
    after.bias = convBias[channel];
  }
  //: unroll
  for (var j = 0u; j < TAPS; j++) {
    after.taps[j] = convWeight[channel * TAPS + j];
  }
  //: unroll
  for (var j = 0u; j < TAPS - 1u; j++) {
    after.past[j] = convState[j * params.d + channel];
  }
  return after;
}

fn convolve(channel: u32, input: f32, after: Taps) -> f32 {
  var past = after.past;
  past[TAPS - 1u] = input;
  var sum = after.bias + after.taps[TAPS - 1u] * input;
  //: unroll
  for (var j = 0u; j < TAPS - 1u; j++) {
    sum += after.taps[j] * past[j];
    convState[j * params.d + channel] = past[j + 1u];
  }
  let value = select(sum, silu(sum), CONV_SILU);
  convolved[channel] = value;
  return value;
}
