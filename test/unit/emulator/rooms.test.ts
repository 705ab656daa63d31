import { expect, test } from 'vitest';
import { demos, emulators, variablesFor } from '../../../src/emulator/emulators.ts';

// What the command line and other processes rely on, whichever CRM it is.

test.each(emulators.map((room) => [room.name, room] as const))(
  '%s: serves a sample workspace, says what leads to it, and can be steered',
  async (name, room) => {
    const [size = ''] = Object.values(room.sizes);
    const emulated = await room.start({ sizes: { [size]: 3 }, switches: { latencyMs: 1 } });
    try {
      const variables = Object.entries(variablesFor(room, emulated));
      expect(variables.map(([key]) => key)).toContain(`${name.toUpperCase()}_API_URL`);
      expect(variables.every(([key, value]) => /^[A-Z_]+$/.test(key) && value !== '')).toBe(true);
      expect(emulated.document).toMatchObject({ url: emulated.url, adminUrl: emulated.adminUrl });
      const steer = async (path: string, body?: object): Promise<unknown> => {
        const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
        return await (await fetch(`${emulated.adminUrl}/${path}`, sent)).json();
      };
      expect(await steer('objects')).toMatchObject({ [size]: 3 });
      const switches = await steer('switches');
      expect(switches).toMatchObject({ latencyMs: 1, clockSkewMs: 0 });
      expect(Object.keys(Object(switches)).toSorted()).toEqual(
        room.switches.names.map((each) => each.name).toSorted(),
      );
      expect(await steer('switches', { latencyMs: 2 })).toMatchObject({ latencyMs: 2 });
      expect(await steer('faults', { kind: 'status', status: 503 })).toEqual({ ids: [1] });
      expect((await fetch(emulated.url)).status).toBe(503);
      expect(await steer('stats')).toMatchObject({ requests: 1, faults: 1 });
    } finally {
      await emulated.stop();
    }
  },
);

test.each(emulators.map((room) => [room.name, room] as const))(
  '%s: the same seed gives the same workspace',
  async (_name, room) => {
    const [object = ''] = Object.values(room.sizes);
    const sample = async (seed: number): Promise<unknown> => {
      const emulated = await room.start({ seed, sizes: { [object]: 5 } });
      try {
        return await (await fetch(`${emulated.adminUrl}/objects/${object}`)).json();
      } finally {
        await emulated.stop();
      }
    };
    const first = await sample(4);
    expect(await sample(4)).toEqual(first);
    expect(await sample(5)).not.toEqual(first);
  },
);

test('names tell them apart, and every demo is of one of them', () => {
  const names = emulators.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name } of demos) expect(names).toContain(name);
});
