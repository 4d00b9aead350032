/** What is wrong with a request, as OpenAI's clients want to be told. */
export class ApiError extends Error {
  override readonly name: string = "ApiError";
  readonly status: number;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;

  constructor(status: number, message: string, more: { type?: string; param?: string; code?: string } = {}) {
    super(message);
    this.status = status;
    this.type = more.type ?? (status < 500 ? "invalid_request_error" : "server_error");
    this.param = more.param ?? null;
    this.code = more.code ?? null;
  }

  /** The body of the answer. */
  toJson(): object {
    const { message, type, param, code } = this;
    return { error: { message, type, param, code } };
  }
}

/** Any error as an answer: what a caller did wrong is told, what went wrong here is named only. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const { name, message } = error as Error;
  if (name === "BusyError") return new ApiError(429, message, { type: "rate_limit_error", code: "busy" });
  if (name === "ArgumentError" || name === "FormatError") return new ApiError(400, message);
  if (name === "AbortedError")
    return new ApiError(408, "the answer took too long, or its reader left", { code: "timeout" });
  if (name === "DeviceLostError")
    return new ApiError(503, "the device that computes was lost; a fresh one is opened for the next request", {
      code: "device_lost",
    });
  if (name === "NonFiniteError") return new ApiError(422, message);
  return new ApiError(500, `the server failed: ${name}`);
}
