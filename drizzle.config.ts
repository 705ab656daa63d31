import { defineConfig } from 'drizzle-kit';

/** Control tables only: mirror tables follow the workspace's own schema at run time. */
export default defineConfig({
  dialect: 'postgresql',
  schema: [
    './src/db/control/control-schema.ts',
    './src/db/control/control-changes.ts',
    './src/db/control/control-side.ts',
    './src/db/control/control-scan.ts',
  ],
  out: './migrations',
  schemaFilter: ['clarify_sync'],
});
