import { notFound } from './api-error.ts';
import type { Answer } from './list-answer.ts';
import type { ApiRequest } from './route.ts';
import { fieldOf, recordFields } from './stored-record.ts';
import { objectState, storedRecord, type Workspace } from './workspace.ts';

const LIFETIME_SECONDS = 300;

/** `POST /meetings/{id}/recordings/{recording}/artifacts`: links that soon expire. */
export function recordingArtifacts(workspace: Workspace, request: ApiRequest): Answer {
  const meeting = storedRecord(objectState(workspace, 'meeting'), request.param('id'));
  const recording = request.param('recording');
  if (fieldOf(recordFields(meeting), 'recording_id') !== recording) throw notFound('Recording');
  const expires = Math.floor(workspace.now() / 1000) + LIFETIME_SECONDS;
  const signed = (name: string): string =>
    `http://${request.host}/artifacts/${encodeURIComponent(recording)}/${name}?expires=${expires}&signature=${workspace.random.int(2 ** 32).toString(16)}`;
  const data = { videoUrl: signed('video.mp4'), transcriptionUrl: signed('transcription.json') };
  return { status: 200, text: JSON.stringify({ data }) };
}
