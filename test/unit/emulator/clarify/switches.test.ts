import { expect, test } from 'vitest';
import {
  clarifySwitches,
  defaultSwitches,
  parseSwitch,
} from '../../../../src/emulator/clarify/switches.ts';

test('every switch has a default in both dialects, and the default parses back to itself', () => {
  for (const dialect of ['current', 'classic'] as const) {
    const defaults = defaultSwitches(dialect);
    expect(Object.keys(defaults).toSorted()).toEqual(
      clarifySwitches.names.map(({ name }) => name).toSorted(),
    );
    for (const [name, value] of Object.entries(defaults)) {
      expect(parseSwitch(name, String(value))).toEqual({ [name]: value });
      expect(parseSwitch(name, value)).toEqual({ [name]: value });
    }
  }
});

test.each([
  ['tieOrder', 'sideways', 'tieOrder is one of stable, reversed, shuffled'],
  ['omitNulls', 'yes', 'omitNulls is one of true, false'],
  ['pageMax', 'many', 'pageMax is a number from 1 to'],
  ['pageMax', '', 'pageMax is a number from 1 to'],
  ['lateShare', '2', 'lateShare is a number from 0 to 1'],
  ['toString', 'x', 'no switch is called "toString"; there are dateFilters'],
])('%s=%s is refused: %s', (name, value, message) => {
  expect(() => parseSwitch(name, value)).toThrow(message);
});
