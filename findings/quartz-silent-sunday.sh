#!/bin/sh
# Software: Quartz 2.5.2, Spring 7.0.10 (org.springframework:spring-context) (Maven).
# A guess:  an hourly trigger fires every hour, whatever the clocks do; at worst it is once early or
#           once late.
# In truth: in Greenland, where the clocks are put forward at 23:00 on a Saturday, the hourly Quartz
#           trigger ("0 0 * * * ?") does not fire for 25 hours, all Sunday long, and the daily one of
#           23:30 for 71. In autumn it is silent for two hours in Oslo and Cairo as well: the hour
#           that comes twice is taken once. Spring's CronExpression keeps the hours, but its "0 0 */2 * * *" is
#           silent for 25 hours there, on the Saturday.
# Hurt:     monitoring, heartbeats and imports in a zone where clocks turn at midnight or before.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
cat >pom.xml <<'XML'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>see</groupId><artifactId>see</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.quartz-scheduler</groupId><artifactId>quartz</artifactId><version>2.5.2</version></dependency>
    <dependency><groupId>org.springframework</groupId><artifactId>spring-context</artifactId><version>7.0.10</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>2.0.16</version></dependency>
  </dependencies>
</project>
XML
mvn --quiet --batch-mode dependency:copy-dependencies -DoutputDirectory=lib
cat >See.java <<'JAVA'
import java.time.*;
import java.util.*;
import org.quartz.*;
import org.quartz.spi.OperableTrigger;
import org.springframework.scheduling.support.CronExpression;

class See {
  static boolean asExpected = true;

  static void check(String what, String zone, List<Instant> runs, String from, String to) {
    Duration longest = Duration.ZERO;
    int at = 1;
    for (int i = 1; i < runs.size(); i++) {
      Duration gap = Duration.between(runs.get(i - 1), runs.get(i));
      if (gap.compareTo(longest) > 0) {
        longest = gap;
        at = i;
      }
    }
    System.out.println(what + " in " + zone + ": longest silence " + longest.toHours() + " hours, from "
        + runs.get(at - 1) + " to " + runs.get(at));
    asExpected &= runs.get(at - 1).equals(Instant.parse(from)) && runs.get(at).equals(Instant.parse(to));
  }

  static void quartz(String pattern, String zone, String day, String from, String to) {
    Trigger trigger = TriggerBuilder.newTrigger().startAt(Date.from(Instant.parse(day)))
        .withSchedule(CronScheduleBuilder.cronSchedule(pattern).inTimeZone(TimeZone.getTimeZone(zone))).build();
    Date end = Date.from(Instant.parse(day).plus(Duration.ofDays(5)));
    List<Instant> runs = TriggerUtils
        .computeFireTimesBetween((OperableTrigger) trigger, null, trigger.getStartTime(), end)
        .stream().map(Date::toInstant).toList();
    check("Quartz " + pattern, zone, runs, from, to);
  }

  static void spring(String pattern, String zone, String day, String from, String to) {
    CronExpression expression = CronExpression.parse(pattern);
    List<Instant> runs = new ArrayList<>();
    ZonedDateTime time = Instant.parse(day).atZone(ZoneId.of(zone));
    ZonedDateTime end = time.plusDays(5);
    while ((time = expression.next(time)).isBefore(end)) runs.add(time.toInstant());
    check("Spring " + pattern, zone, runs, from, to);
  }

  public static void main(String[] args) {
    String nuuk = "America/Nuuk", march = "2026-03-27T12:00:00Z";
    quartz("0 0 * * * ?", nuuk, march, "2026-03-29T00:00:00Z", "2026-03-30T01:00:00Z");
    quartz("0 30 23 * * ?", nuuk, march, "2026-03-28T01:30:00Z", "2026-03-31T00:30:00Z");
    quartz("0 0 * * * ?", "Europe/Oslo", "2026-10-23T12:00:00Z", "2026-10-24T23:00:00Z", "2026-10-25T01:00:00Z");
    spring("0 0 */2 * * *", nuuk, march, "2026-03-28T00:00:00Z", "2026-03-29T01:00:00Z");
    System.exit(asExpected ? 0 : 1);
  }
}
JAVA
java -cp 'lib/*' See.java
