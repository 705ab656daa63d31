import { controlVersion } from '../../db/migrate.ts';
import type { Report } from '../report.ts';
import type { CommandContext } from '../shell.ts';

/** Opening the database migrates it; what is left to do here is to say so. */
export async function migrate(context: CommandContext): Promise<Report> {
  return await context.withDatabase(async ({ db }) => {
    const { applied, total } = await controlVersion(db);
    return {
      json: { applied, total },
      text: [`the control schema is up to date: ${applied} of ${total} migrations applied`],
      exitCode: 0,
      next: null,
    };
  });
}
