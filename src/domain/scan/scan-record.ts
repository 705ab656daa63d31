/** A record as a page of a list shows it. */
export interface ScanRecord {
  readonly id: string;
  /** Another one whenever anything of the record that can be seen has changed. */
  readonly version: string;
  /** Epoch milliseconds; null where the list does not tell. */
  readonly createdMs: number | null;
  readonly updatedMs: number | null;
}
