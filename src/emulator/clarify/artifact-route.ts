import { createHash } from 'node:crypto';
import type { Json } from '../../domain/json.ts';
import type { Answer } from '../kernel/answer.ts';
import { JSON_TYPE, type WireAnswer } from '../kernel/answer.ts';
import { type Fields, fieldOf, isObject } from '../kernel/fields.ts';
import type { WireRequest } from '../kernel/model.ts';
import type { ApiRequest } from '../kernel/route.ts';
import { invalid, notFound } from './api-error.ts';
import { commitCreate } from './commit.ts';
import { renderWithLinks } from './linkage.ts';
import { recordFields, type StoredRecord } from './stored-record.ts';
import { objectState, storedRecord, type Workspace } from './workspace.ts';
import { actorOf } from './write-routes.ts';

export const ARTIFACTS = '/artifacts/';
const LIFETIME_SECONDS = 300;
const UNFINISHED = ['recording', 'processing', 'failed'];

/**
 * `POST /meetings/{id}/recordings/{recording}/artifacts`: links that soon expire. A transcript that
 * was uploaded has no video beside it; a recording with `status` processing has neither yet.
 */
export function recordingArtifacts(workspace: Workspace, request: ApiRequest): Answer {
  const meeting = storedRecord(objectState(workspace, 'meeting'), request.param('id'));
  const id = request.param('recording');
  const fields = recordingOf(workspace, meeting, id);
  const expires = Math.floor(workspace.now() / 1000) + LIFETIME_SECONDS;
  const signed = (name: string): string => {
    const path = `${ARTIFACTS}${encodeURIComponent(id)}/${name}`;
    return `http://${request.host}${path}?expires=${expires}&signature=${sign(workspace, path, expires)}`;
  };
  const uploaded = fieldOf(fields, 'recording_source') === 'manual_upload';
  const unfinished = UNFINISHED.some((status) => status === fieldOf(fields, 'status'));
  const data = {
    videoUrl: uploaded || unfinished ? null : signed('video.mp4'),
    transcriptionUrl: unfinished ? null : signed('transcription.json'),
  };
  return { status: 201, text: JSON.stringify({ data }) };
}

/** `POST /meetings/{id}/transcript`, `{"transcript": [segment…]}`: makes a recording of it. */
export function uploadTranscript(workspace: Workspace, request: ApiRequest): Answer {
  const meeting = storedRecord(objectState(workspace, 'meeting'), request.param('id'));
  const segments = isObject(request.body) ? (request.body.transcript ?? null) : null;
  if (!isSegments(segments)) {
    throw invalid([{ pointer: '/transcript', message: 'must be array of segments with words' }]);
  }
  const state = objectState(workspace, 'meeting_recording');
  const id = workspace.newId(workspace.random, state.definition.object);
  const { start = null, end = null } = recordFields(meeting);
  const fields = {
    meeting_id: meeting.id,
    recording_source: 'manual_upload',
    status: 'done',
    start_at: start,
    end_at: end,
  };
  const recording = commitCreate(workspace, state, id, fields, { actor: actorOf(workspace) });
  workspace.transcripts.set(id, segments);
  const data = renderWithLinks(workspace, state.definition.object, recording, []);
  return { status: 201, text: `{"data":${data}}`, recordsWritten: 1 };
}

/** As a file store answers: by the signature alone, and confused by credentials beside it. */
export function artifact(workspace: Workspace, { url, headers }: WireRequest): WireAnswer {
  const expires = Number(url.searchParams.get('expires'));
  const isSigned = url.searchParams.get('signature') === sign(workspace, url.pathname, expires);
  if (headers.authorization !== undefined) return refuse(400, 'Only one auth mechanism allowed');
  if (!isSigned || workspace.now() > expires * 1000) return refuse(403, 'Request has expired');
  const [, , recording = '', name] = url.pathname.split('/');
  if (name !== 'transcription.json') return refuse(404, 'No such key');
  const id = decodeURIComponent(recording);
  const segments = workspace.transcripts.get(id) ?? spoken(id);
  return { status: 200, text: JSON.stringify(segments), contentType: JSON_TYPE, headers: {} };
}

/** @throws ApiError 404 for another meeting's recording as well */
function recordingOf(workspace: Workspace, meeting: StoredRecord, id: string): Fields {
  const found = workspace.objects.get('meeting_recording')?.records.get(id);
  const fields = found === undefined ? {} : recordFields(found);
  if (fieldOf(fields, 'meeting_id') !== meeting.id) throw notFound('Recording');
  return fields;
}

function isSegments(value: Json): value is readonly Json[] {
  return (
    Array.isArray(value) &&
    value.every((segment: Json) => isObject(segment) && Array.isArray(segment.words))
  );
}

function spoken(recording: string): Json {
  const lines = [
    ['Kim Keyes', `Welcome to ${recording}.`],
    ['Sam Sales', 'Thank you, “let’s begin”.'],
  ] as const;
  return lines.map(([speaker, text], index) => ({
    speaker,
    speaker_id: index,
    language: 'en',
    words: text.split(' ').map((word, position) => ({
      text: word,
      start_timestamp: index * 5 + position * 0.5,
      end_timestamp: index * 5 + position * 0.5 + 0.4,
    })),
  }));
}

function sign({ slug, seed }: Workspace, path: string, expires: number): string {
  return createHash('sha256').update(`${slug} ${seed} ${path} ${expires}`).digest('hex');
}

function refuse(status: number, message: string): WireAnswer {
  const text = `<?xml version="1.0"?><Error><Message>${message}</Message></Error>`;
  return { status, text, contentType: 'application/xml', headers: {} };
}
