/** Base of every error this project throws on purpose; `instanceof StatespaceError` tells ours from a bug. */
export class StatespaceError extends Error {
  override readonly name: string = "StatespaceError";
}

/** A tensor's shape is not the one the op asks for: names the op, the argument, the symbolic and the actual shape. */
export class ShapeError extends StatespaceError {
  override readonly name: string = "ShapeError";
}

/** A tensor's dtype is not the one the op asks for. */
export class DTypeError extends StatespaceError {
  override readonly name: string = "DTypeError";
}

/** A setting is out of its range (NaN temperature, negative length, id past the vocabulary). */
export class ArgumentError extends StatespaceError {
  override readonly name: string = "ArgumentError";
}

/** A backend is missing, lacks a kernel, or failed while computing. */
export class BackendError extends StatespaceError {
  override readonly name: string = "BackendError";
}

/** An allocation did not fit; the backend stays usable. */
export class OutOfMemoryError extends BackendError {
  override readonly name: string = "OutOfMemoryError";
}

/** The device behind a backend went away, and its tensors with it; `await backend.recover()` opens a fresh one in its place. */
export class DeviceLostError extends BackendError {
  override readonly name: string = "DeviceLostError";
}

/** A file (safetensors, config, dataset, saved state) is corrupt, truncated or lies about its content. */
export class FormatError extends StatespaceError {
  override readonly name: string = "FormatError";
}

/** Work was cancelled through an AbortSignal; nothing half-written remains. */
export class AbortedError extends StatespaceError {
  override readonly name: string = "AbortedError";
}

/** Training met a loss or gradient that is not finite. */
export class NonFiniteError extends StatespaceError {
  override readonly name: string = "NonFiniteError";
}
