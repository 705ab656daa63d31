/** How much may go without a person's word. */
export interface MassDelete {
  readonly rows: number;
  /** Of the object's rows; counts from ten on. */
  readonly percent: number;
}

const FEW = 10;

/** Whether so many removals out of so many rows have to wait for a person (invariants 6 and 11). */
export function isMassDelete(limits: MassDelete, removals: number, rows: number): boolean {
  if (removals > limits.rows) return true;
  return removals >= FEW && removals * 100 > limits.percent * rows;
}
