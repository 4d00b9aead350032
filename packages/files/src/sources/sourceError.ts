import { StatespaceError } from "@statespace/core";

/** A checkpoint's files could not be read: no permission, network failure, an HTTP status other than success or "not found". */
export class SourceError extends StatespaceError {
  override readonly name: string = "SourceError";
}
