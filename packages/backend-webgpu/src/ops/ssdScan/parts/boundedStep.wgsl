override SOFTPLUS = false;

// The step of dt and its bias.
fn boundedStep(dt: f32) -> f32 {
  var step = dt;
  if (SOFTPLUS) {
    step = softplus(step);
  }
  return select(min(params.dtMax, max(params.dtMin, step)), step, isNan(step));
}
