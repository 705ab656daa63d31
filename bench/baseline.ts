import { execFile } from 'node:child_process';
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The program before one process served many workspaces, and before it was made faster in every direction. */
export const BEFORE_FLEETS = 'e1d4006';
/** The program before its commands started at once, and an idle one was made smaller. */
export const BEFORE_START = 'edf54b8';

const run = promisify(execFile);

/**
 * The compiled program as it was at a commit of this repository; built on first use, and kept in
 * the folder for temporary files.
 *
 * @returns the path of its `main.js`
 * @throws where the repository does not have the commit: a shallow clone, or no clone at all
 */
export async function buildAt(commit: string): Promise<string> {
  const folder = join(tmpdir(), `clarify-sync-at-${commit}`);
  const main = join(folder, 'dist', 'main.js');
  const modules = join(process.cwd(), 'node_modules');
  if (await readFile(main).then(Boolean, () => false)) {
    // The checkout that it was built from may be gone.
    await rm(join(folder, 'node_modules'), { force: true });
    await symlink(modules, join(folder, 'node_modules'));
    return main;
  }
  const work = `${folder}-${process.pid}`;
  await mkdir(work, { recursive: true });
  try {
    const archive = join(work, 'source.tar');
    await run('git', ['archive', '--output', archive, commit]);
    await run('tar', ['-xf', archive, '-C', work]);
    await symlink(modules, join(work, 'node_modules'));
    await run('npx', ['tsc', '-p', 'tsconfig.build.json'], { cwd: work });
    await writeFile(archive, '');
    await rename(work, folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return main;
}
