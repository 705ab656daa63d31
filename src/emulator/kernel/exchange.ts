import type { ServerResponse } from 'node:http';
import { answerInPart, withAttribute } from './altered-answer.ts';
import { type Answer, JSON_TYPE, sendAnswer } from './answer.ts';
import { faultAnswer } from './fault-answer.ts';
import type { Fault } from './faults.ts';
import type { Admitted, Model } from './model.ts';

/** A request to the API, and where its answer goes. */
export interface Exchange {
  readonly model: Model;
  readonly response: ServerResponse;
  readonly admitted: Admitted;
  /** How many requests to the API came before and with this one. */
  readonly served: number;
  readonly body: string;
}

export async function answerPlainly(exchange: Exchange): Promise<Answer> {
  const { model, response, admitted, served } = exchange;
  const { latencyMs } = model.switches;
  if (latencyMs > 0) await waitWhileOpen(response, latencyMs);
  const answer = admitted.run(served);
  send(exchange, answer, false);
  return answer;
}

/** @returns what was carried out and answered; null where no answer was sent. */
export async function answerWithFault(exchange: Exchange, fault: Fault): Promise<Answer | null> {
  const { model, response, admitted, served } = exchange;
  switch (fault.kind) {
    case 'status':
    case 'html':
    case 'empty':
    case 'answer': {
      const done = fault.applied === true ? admitted.run(served) : null;
      const nowMs = model.now();
      const answer = faultAnswer(fault, model.errors, nowMs);
      const headers = { ...admitted.headers, ...answer.headers };
      sendAnswer(response, { ...answer, headers }, { nowMs });
      return { ...done, status: answer.status, text: answer.text };
    }
    case 'reset-before-write':
      response.socket?.resetAndDestroy();
      return null;
    case 'reset-after-write':
      admitted.run(served);
      response.socket?.resetAndDestroy();
      return null;
    case 'timeout':
      if (fault.applied !== false) admitted.run(served);
      await waitWhileOpen(response, null);
      return null;
    case 'truncated': {
      const answer = admitted.run(served);
      send(exchange, answer, true);
      return answer;
    }
    case 'malformed': {
      const answer = admitted.run(served);
      send(exchange, { ...answer, text: `${answer.text.toString().slice(0, -1)},,` }, false);
      return answer;
    }
    case 'partial': {
      const run = (body: string): Answer => admitted.run(served, body);
      const answer = answerInPart(model.records, fault, exchange.body, run);
      send(exchange, answer, false);
      return answer;
    }
    case 'attribute': {
      const answer = withAttribute(model.records, fault, admitted.run(served));
      send(exchange, answer, false);
      return answer;
    }
    case 'slow': {
      const early = fault.applied === false ? null : admitted.run(served);
      await waitWhileOpen(response, fault.ms);
      const answer = early ?? admitted.run(served);
      send(exchange, answer, false);
      return answer;
    }
  }
}

function send({ model, response, admitted }: Exchange, answer: Answer, cut: boolean): void {
  const { status, text, contentType = JSON_TYPE } = answer;
  const headers = { ...admitted.headers, ...answer.headers };
  sendAnswer(response, { status, text, contentType, headers }, { nowMs: model.now(), cut });
}

/** Ends early where the other side hangs up; null waits for just that. */
function waitWhileOpen(response: ServerResponse, ms: number | null): Promise<void> {
  return new Promise((resolve) => {
    const timer = ms === null ? null : setTimeout(finish, ms);
    response.once('close', finish);
    function finish(): void {
      if (timer !== null) clearTimeout(timer);
      response.off('close', finish);
      resolve();
    }
  });
}
