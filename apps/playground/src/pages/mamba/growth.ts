/** The first text length at which a cache of so many bytes a token is larger than a state of fixed size; where they are equal, it is not. */
export function overtakes(stateBytes: number, cacheBytesPerToken: number): number {
  return Math.floor(stateBytes / cacheBytesPerToken) + 1;
}
