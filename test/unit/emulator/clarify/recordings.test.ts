import { expect, test } from 'vitest';
import type { Json } from '../../../../src/domain/json.ts';
import { connect } from './api-client.ts';

interface Artifacts {
  readonly data: { readonly videoUrl: string | null; readonly transcriptionUrl: string | null };
}

async function withMeeting() {
  const connection = await connect();
  const meeting = connection.emulator.store.create('meeting', { title: 'Demo' });
  const record = (fields: Readonly<Record<string, Json>>) =>
    connection.emulator.store.create('meeting_recording', { meeting_id: meeting, ...fields });
  const artifacts = async (recording: string) => {
    const path = `/meetings/${meeting}/recordings/${recording}/artifacts`;
    const { status, text } = await connection.call('POST', path);
    const { data }: Artifacts = JSON.parse(text);
    return { status, ...data };
  };
  return { ...connection, meeting, record, artifacts };
}

test('are found by their meeting, and their artifacts are signed links', async () => {
  const { call, ids, meeting, record, artifacts } = await withMeeting();
  const recording = record({ recording_source: 'bot', status: 'done' });
  const other = record({ meeting_id: null });
  const found = ids('/objects/meeting_recording/resources', { 'filter[meeting_id][Is]': meeting });
  expect(await found).toEqual([recording]);
  const { status, videoUrl, transcriptionUrl } = await artifacts(recording);
  expect(status).toBe(201);
  expect(new URL(videoUrl ?? '').searchParams.get('signature')).not.toBe('');
  const url = transcriptionUrl ?? '';
  const segments: unknown = await (await fetch(url)).json();
  expect(segments).toContainEqual({
    speaker: 'Kim Keyes',
    speaker_id: 0,
    language: 'en',
    words: expect.arrayContaining([
      { text: 'Welcome', start_timestamp: 0, end_timestamp: expect.any(Number) },
    ]),
  });
  expect((await fetch(url.replace(recording, other))).status).toBe(403);
  const headers = { authorization: 'api-key demo-key' };
  expect((await fetch(url, { headers })).status).toBe(400);
  const elsewhere = `/meetings/${meeting}/recordings/${other}/artifacts`;
  expect((await call('POST', elsewhere)).status).toBe(404);
});

test('have no link to what is not there', async () => {
  const { record, artifacts } = await withMeeting();
  expect(await artifacts(record({ status: 'processing' }))).toEqual({
    status: 201,
    videoUrl: null,
    transcriptionUrl: null,
  });
  expect(await artifacts(record({ recording_source: 'manual_upload' }))).toEqual({
    status: 201,
    videoUrl: null,
    transcriptionUrl: expect.stringContaining('transcription.json'),
  });
});

test('come of a transcript that is uploaded', async () => {
  const { call, meeting, artifacts } = await withMeeting();
  const words = [{ text: 'Hello', start_timestamp: 0, end_timestamp: 0.4 }];
  const transcript = [{ speaker: 'Ann', speaker_id: 0, language: null, words }];
  const path = `/meetings/${meeting}/transcript`;
  expect((await call('POST', path, { transcript: [{ text: 'Hello' }] })).status).toBe(422);
  const answer = await call('POST', path, { transcript });
  expect(answer.status).toBe(201);
  expect(answer.record.attributes).toMatchObject({
    meeting_id: meeting,
    recording_source: 'manual_upload',
  });
  const { transcriptionUrl } = await artifacts(answer.record.id);
  expect(await (await fetch(transcriptionUrl ?? '')).json()).toEqual(transcript);
});
