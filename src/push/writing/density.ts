/**
 * How many of those that were looked at one by one were refused, of late: where it is most of them, to
 * send several together tells nothing.
 */
export interface Density {
  readonly isHigh: boolean;
  took(records: number): void;
  refused(): void;
}

/** So many in a row, out of nothing, are most of them: 1 - KEPT ** 7 > HIGH. */
const KEPT = 7 / 8;
const HIGH = 0.6;

export function createDensity(): Density {
  let share = 0;
  return {
    get isHigh() {
      return share > HIGH;
    },
    took(records) {
      share *= KEPT ** records;
    },
    refused() {
      share = share * KEPT + (1 - KEPT);
    },
  };
}
