import { createHash } from 'node:crypto';
import { notFound } from './api-error.ts';
import type { Answer } from './list-answer.ts';
import type { ApiRequest } from './route.ts';
import { fieldOf, recordFields } from './stored-record.ts';
import { JSON_TYPE, type WireAnswer } from './wire-answer.ts';
import { objectState, storedRecord, type Workspace } from './workspace.ts';

export const ARTIFACTS = '/artifacts/';
const LIFETIME_SECONDS = 300;

/** `POST /meetings/{id}/recordings/{recording}/artifacts`: links that soon expire. */
export function recordingArtifacts(workspace: Workspace, request: ApiRequest): Answer {
  const meeting = storedRecord(objectState(workspace, 'meeting'), request.param('id'));
  const recording = request.param('recording');
  if (fieldOf(recordFields(meeting), 'recording_id') !== recording) throw notFound('Recording');
  const expires = Math.floor(workspace.now() / 1000) + LIFETIME_SECONDS;
  const signed = (name: string): string => {
    const path = `${ARTIFACTS}${encodeURIComponent(recording)}/${name}`;
    return `http://${request.host}${path}?expires=${expires}&signature=${sign(workspace, path, expires)}`;
  };
  const data = { videoUrl: signed('video.mp4'), transcriptionUrl: signed('transcription.json') };
  return { status: 200, text: JSON.stringify({ data }) };
}

/** As a file store answers: by the signature alone, and confused by credentials beside it. */
export function artifact(
  workspace: Workspace,
  { url, authorization }: { readonly url: URL; readonly authorization: string | undefined },
): WireAnswer {
  const expires = Number(url.searchParams.get('expires'));
  const isSigned = url.searchParams.get('signature') === sign(workspace, url.pathname, expires);
  if (authorization !== undefined) return refuse(400, 'Only one auth mechanism allowed');
  if (!isSigned || workspace.now() > expires * 1000) return refuse(403, 'Request has expired');
  const [, , recording = '', name] = url.pathname.split('/');
  if (name !== 'transcription.json') return refuse(404, 'No such key');
  const segments = [
    { speaker: 'Kim Keyes', start: 0, text: `Welcome to ${decodeURIComponent(recording)}.` },
    { speaker: 'Sam Sales', start: 4.2, text: 'Thank you, “let’s begin”.' },
  ];
  return { status: 200, text: JSON.stringify({ segments }), contentType: JSON_TYPE, headers: {} };
}

function sign({ slug, seed }: Workspace, path: string, expires: number): string {
  return createHash('sha256').update(`${slug} ${seed} ${path} ${expires}`).digest('hex');
}

function refuse(status: number, message: string): WireAnswer {
  const text = `<?xml version="1.0"?><Error><Message>${message}</Message></Error>`;
  return { status, text, contentType: 'application/xml', headers: {} };
}
