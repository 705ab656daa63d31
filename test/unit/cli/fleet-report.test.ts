import { expect, test } from 'vitest';
import type { FleetConfig, FleetEntry } from '../../../src/app/fleet/file.ts';
import { forWorkspace } from '../../../src/cli/fleet-advice.ts';
import { reportOnAll } from '../../../src/cli/fleet-report.ts';
import type { Report } from '../../../src/cli/report.ts';
import type { Screen } from '../../../src/cli/terminal.ts';

const plain: Screen = { paint: (_style, text) => text, width: Number.POSITIVE_INFINITY };

test.each([
  ['run `clarify-sync sync`', 'acme', 'run `clarify-sync sync --workspace acme`'],
  [
    'run `clarify-sync sync`, or `clarify-sync outbox show 1`',
    'North EMEA',
    "run `clarify-sync sync --workspace 'North EMEA'`, or `clarify-sync outbox show 1 --workspace 'North EMEA'`",
  ],
  ['start `clarify-sync run`', 'acme', 'start `clarify-sync run`'],
  ['run `clarify-sync sync --workspace acme`', 'acme', 'run `clarify-sync sync --workspace acme`'],
  ['set `ulimit -n`', 'acme', 'set `ulimit -n`'],
])('the commands in %j are about the workspace %s', (text, name, expected) => {
  expect(forWorkspace(text, name)).toBe(expected);
});

test('what one workspace needs is said although nothing is wrong with any', async () => {
  const report = await reportOnAll(fleetOf('acme', 'north'), plain, async ({ name }) =>
    reportWith(name === 'north' ? 'run `clarify-sync sync`' : null),
  );
  expect(report).toMatchObject({
    exitCode: 0,
    next: 'north: run `clarify-sync sync --workspace north`',
    json: {
      workspaces: [
        { name: 'acme', next: null },
        { name: 'north', next: 'run `clarify-sync sync --workspace north`' },
      ],
    },
  });
});

test('the worst comes first', async () => {
  const report = await reportOnAll(fleetOf('acme', 'north'), plain, async ({ name }) => ({
    ...reportWith(`look at ${name}`),
    exitCode: name === 'north' ? 3 : 0,
  }));
  expect(report).toMatchObject({ exitCode: 3, next: 'north: look at north' });
  expect(report.text).toEqual(['acme', '→ look at acme', '', 'north', '→ look at north', '']);
});

function reportWith(next: string | null): Report {
  return { json: {}, text: [], exitCode: 0, next };
}

function fleetOf(...names: readonly string[]): Pick<FleetConfig, 'workspaces'> {
  // Names alone: what is reported does not look further.
  return { workspaces: names.map((name) => ({ name }) as FleetEntry) };
}
