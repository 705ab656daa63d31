// Runs the page's example for Drizzle: `clarify.ts` is what `schema --drizzle` prints.
import { eq, getTableColumns } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { c_odd, deal, person } from './clarify.ts';

await import('./example.ts');
const db = drizzle(process.env.DATABASE_URL);
const [whole] = await db.select().from(deal).where(eq(deal.name, 'Whole'));
const people = await db
  .select()
  .from(person)
  .where(eq(person.job_title, 'Listed'))
  .orderBy(person.interests);
const columns = Object.values(getTableColumns(c_odd)).map(({ name }) => name);
console.log(
  JSON.stringify({
    amount: whole.amount,
    closed: whole.close_date,
    created: whole._created_at,
    lists: people.map(({ interests }) => interests),
    odd: columns.filter((name) => /created_at|say/.test(name)),
  }),
);
process.exit(0);
