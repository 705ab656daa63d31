// Runs the page's example for Prisma: `model.prisma` and `example.ts` are its blocks.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { PrismaPg } from '@prisma/adapter-pg';

const head = `generator client {
  provider = "prisma-client-js"
  output   = "./client"
}
datasource db {
  provider = "postgresql"
  schemas  = ["clarify"]
}
`;
const more = `model deal {
  id          String    @id
  name        String?
  amount      Decimal?  @db.Decimal(20, 4)
  close_date  DateTime? @db.Date
  created_at  DateTime? @map("_created_at") @db.Timestamptz(6)
  @@schema("clarify")
}
model person {
  id          String   @id
  name        Json?
  job_title   String?
  interests   String[]
  @@schema("clarify")
}
`;
writeFileSync('schema.prisma', head + more + readFileSync('model.prisma', 'utf8'));
const url = process.env.DATABASE_URL;
execFileSync('prisma', ['generate', '--schema', 'schema.prisma'], {
  stdio: ['ignore', 'ignore', 'inherit'],
});
// It is CommonJS, whatever the folder above says.
writeFileSync('client/package.json', '{}');
const client = createRequire(import.meta.url)('./client/index.js');
const prisma = new client.PrismaClient({ adapter: new PrismaPg({ connectionString: url }) });
globalThis.prisma = prisma;
await import('./example.ts');
const again = await prisma.task.findFirst({
  where: { title: 'Call again' },
  include: { company: true },
});
const whole = await prisma.deal.findFirst({ where: { name: 'Whole' } });
const people = await prisma.person.findMany({ where: { job_title: 'Listed' } });
await prisma.$disconnect();
console.log(
  JSON.stringify({
    status: again.status,
    company: again.company.name,
    amount: [whole.amount.constructor.name, whole.amount.toFixed(4)],
    closed: whole.close_date,
    created: whole.created_at,
    lists: people.map(({ interests }) => interests),
    name: people[0].name.last_name,
  }),
);
process.exit(0);
