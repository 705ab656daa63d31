// Each ORM writes a task by `_key`: before its push, after it, and once more as an upsert.
// oxlint-disable-next-line import/no-unassigned-import -- TypeORM wants it so.
import 'reflect-metadata';
import knexOf from 'knex';
import { DataTypes, Sequelize } from 'sequelize';
import { DataSource, EntitySchema } from 'typeorm';
import { pushed } from './pushed.mjs';

const url = process.env.DATABASE_URL;
const seen = {};
const sequelize = new Sequelize(url, { logging: false });
const Task = sequelize.define(
  'task',
  {
    key: { type: DataTypes.TEXT, primaryKey: true, field: '_key' },
    id: { type: DataTypes.TEXT },
    title: { type: DataTypes.TEXT },
  },
  { schema: 'clarify', freezeTableName: true, timestamps: false },
);
const Deal = sequelize.define(
  'deal',
  {
    key: { type: DataTypes.TEXT, primaryKey: true, field: '_key' },
    amount: DataTypes.DECIMAL(20, 4),
    closed: { type: DataTypes.DATEONLY, field: 'close_date' },
  },
  { schema: 'clarify', freezeTableName: true, timestamps: false },
);
const source = await new DataSource({
  type: 'postgres',
  url,
  entities: [
    new EntitySchema({
      name: 'task',
      schema: 'clarify',
      columns: {
        key: { name: '_key', type: 'text', primary: true },
        id: { type: 'text', insert: false, update: false },
        title: { type: 'text', nullable: true },
      },
    }),
  ],
}).initialize();
const tasks = source.getRepository('task');
const knex = knexOf({ client: 'pg', connection: url });
const table = () => knex('clarify.task');

const one = await Task.create({ title: 'sequelize' });
const two = await tasks.save({ key: 'local:typeorm', title: 'typeorm' });
const [three] = await table().insert({ title: 'knex' }).returning(['_key', 'id']);
const nameless = await tasks.insert({ title: 'typeorm without a key' });
await pushed();
one.title = 'sequelize again';
await one.save();
await one.reload();
two.title = 'typeorm again';
await tasks.save(two);
await table().where({ _key: three._key }).update({ title: 'knex again' });
await pushed();
await Task.upsert({ key: one.key, title: 'sequelize upserted' });
await tasks.upsert({ key: two.key, title: 'typeorm upserted' }, ['key']);
await table().insert({ _key: three._key, title: 'knex upserted' }).onConflict('_key').merge();
const lists = await knex('clarify.person')
  .where({ job_title: 'Listed' })
  .orderBy('interests')
  .select('interests', 'name');
const Person = sequelize.define(
  'person',
  {
    id: { type: DataTypes.TEXT, primaryKey: true },
    jobTitle: { type: DataTypes.TEXT, field: 'job_title' },
    interests: DataTypes.ARRAY(DataTypes.TEXT),
  },
  { schema: 'clarify', freezeTableName: true, timestamps: false },
);
const listed = await Person.findAll({ where: { jobTitle: 'Listed' }, order: ['interests'] });
seen.lists = [lists.map(({ interests }) => interests), listed.map(({ interests }) => interests)];
seen.name = lists[0].name.last_name;
const deal = await Deal.findOne({ where: { name: 'Whole' }, attributes: ['amount', 'closed'] });
const [asKnex] = await knex('clarify.deal').where({ name: 'Whole' }).select('amount', 'close_date');
seen.sequelize = [typeof deal.amount, deal.closed, one.id.startsWith('local:')];
seen.knex = [typeof asKnex.amount, asKnex.close_date.toISOString()];
seen.nameless = nameless.identifiers;
await sequelize.close();
await source.destroy();
await knex.destroy();
console.log(JSON.stringify(seen));
process.exit(0);
