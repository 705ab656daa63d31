import type { Check } from '../../app/doctor/check.ts';
import { runDoctor } from '../../app/doctor/doctor.ts';
import type { Report } from '../report.ts';
import type { CommandContext, CommonOptions } from '../shell.ts';
import { renderTable } from '../table.ts';
import { printable, type Screen, type Style } from '../terminal.ts';

export interface DoctorFlags extends CommonOptions {
  readonly adopt?: boolean;
  readonly forgetWebhook?: boolean;
}

export async function doctor(
  context: CommandContext,
  { adopt = false, forgetWebhook = false }: Pick<DoctorFlags, 'adopt' | 'forgetWebhook'>,
): Promise<Report> {
  const config = await context.config();
  const log = await context.log(config);
  const checks = await runDoctor(config, { log, signal: context.signal, adopt, forgetWebhook });
  const first = checks.find(({ state }) => state === 'fail') ?? checks.find(({ hint }) => hint);
  return {
    json: { checks },
    text: renderChecks(checks, context.screen),
    exitCode: checks.some(({ state }) => state === 'fail') ? 1 : 0,
    next: first?.hint ?? null,
  };
}

const COLOUR: Readonly<Record<Check['state'], Style>> = {
  ok: 'green',
  warn: 'yellow',
  fail: 'red',
};

const COLUMNS = [{ title: '' }, { title: 'check' }, { title: 'found', wraps: true }] as const;

function renderChecks(checks: readonly Check[], screen: Screen): string[] {
  const rows = checks.flatMap(({ name, state, detail, hint }) => [
    [screen.paint(COLOUR[state], state), name, printable(detail)],
    ...(hint === null ? [] : [['', '', `→ ${printable(hint)}`]]),
  ]);
  return renderTable(COLUMNS, rows, screen);
}
