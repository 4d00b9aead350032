/** A GRU or LSTM layer. */
export interface RecurrentConfig {
  readonly dModel: number;
  /** Size of the hidden state; where it is not dModel, a projection leads back. */
  readonly dHidden: number; // h
}
