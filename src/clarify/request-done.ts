/** One attempt that ended, told to whoever measures. */
export interface RequestDone {
  /** As in `EndpointStats`. */
  readonly endpoint: string;
  /** The HTTP status, or what went wrong where no answer came. */
  readonly status: string;
  /** From sending to the answer's end; waits for the allowance left out. */
  readonly durationMs: number;
}
