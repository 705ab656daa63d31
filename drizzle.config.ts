import { defineConfig } from 'drizzle-kit';

/** Control tables only: mirror tables follow the workspace's own schema at run time. */
export default defineConfig({
  dialect: 'postgresql',
  schema: [
    './src/db/control-schema.ts',
    './src/db/control-changes.ts',
    './src/db/control-side.ts',
    './src/db/control-scan.ts',
  ],
  out: './migrations',
  schemaFilter: ['clarify_sync'],
});
