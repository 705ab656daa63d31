import { expect, test } from 'vitest';
import { attio } from '../../../../src/crm/attio/adapter.ts';
import { VARIABLES } from '../../../../src/crm/attio/settings.ts';
import { startAttio } from '../../../../src/emulator/attio/emulator.ts';
import { pull } from '../clarify/scripted-server.ts';

test('all that has to be set is a key, and a workspace is reached with it', async () => {
  const required = attio.settings
    .filter((setting) => setting.required)
    .map(({ variable }) => variable);
  expect(required).toEqual(['ATTIO_API_KEY']);
  const address = attio.settings.find(({ key }) => key === 'apiUrl');
  expect(address).toMatchObject({ variable: 'ATTIO_API_URL', default: 'https://api.attio.com' });
  const emulator = await startAttio({ sizes: 'none' });
  const remote = await attio.open(
    { apiKey: emulator.apiKey, apiUrl: emulator.url },
    { names: VARIABLES, objects: {}, allowancePercent: 80, log: { debug: () => {} } },
  );
  try {
    expect(await remote.discover(pull)).toHaveLength(4);
    expect(remote).toMatchObject({ title: 'Attio', workspace: `attio:${emulator.workspaceId}` });
  } finally {
    await remote.stop();
    await emulator.stop();
  }
});
