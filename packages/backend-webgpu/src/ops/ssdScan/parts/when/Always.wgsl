// Products to make: all of them.
fn wanted() -> u32 {
  return params.batch;
}
