/** What one endpoint did since the connection was opened. */
export interface EndpointStats {
  /** Such as `GET /objects/person/resources`. */
  readonly endpoint: string;
  readonly requests: number;
  /** By HTTP status, or by failure (`timeout`, `reset`, …) where no answer came. */
  readonly byStatus: Readonly<Record<string, number>>;
  readonly limit: number | null;
  readonly remaining: number | null;
  readonly waiting: number;
  /** Epoch milliseconds: until then the server lets no request through, as it said; mostly null. */
  readonly heldUntilMs: number | null;
  /** Epoch milliseconds: when what is left is full again, where the server tells that. */
  readonly resetsAtMs?: number | null;
}

/** A budget of requests that is full again at some time, as answers told it. */
export interface Budget {
  /** Which requests count against it, for a reader. */
  readonly name: string;
  readonly limit: number;
  readonly remaining: number;
  /** Epoch milliseconds. */
  readonly resetsAtMs: number;
}

/** One attempt that ended, told to whoever measures. */
export interface RequestDone {
  /** As in `EndpointStats`. */
  readonly endpoint: string;
  /** The HTTP status, or what went wrong where no answer came. */
  readonly status: string;
  /** From sending to the answer's end; waits for the allowance left out. */
  readonly durationMs: number;
}

/** The server lets no request to an endpoint through until then; null: it does again. */
export interface HoldChange {
  readonly endpoint: string;
  /** Epoch milliseconds. */
  readonly untilMs: number | null;
}

/** What is asked of a CRM, for whoever measures. */
export interface Traffic {
  stats(): readonly EndpointStats[];
  /** Left out where the CRM tells of none. */
  budgets?(): readonly Budget[];
  /** Tells of every attempt that ends. @returns how to stop that. */
  watch(listener: (done: RequestDone) => void): () => void;
  /** Tells where the server begins to let nothing through, and where it does again. */
  watchHolds(listener: (change: HoldChange) => void): () => void;
}
