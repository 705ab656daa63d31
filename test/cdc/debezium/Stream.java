import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.format.Json;
import java.io.FileReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;

/**
 * Runs the Debezium engine with the properties of a file and prints one line of JSON for each event,
 * until standard input ends. Exit code 1 where the engine gave up, with its reason on standard error.
 */
public final class Stream {
    public static void main(String[] args) throws Exception {
        Properties properties = new Properties();
        try (FileReader file = new FileReader(args[0], StandardCharsets.UTF_8)) {
            properties.load(file);
        }
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        CompletableFuture<Boolean> ended = new CompletableFuture<>();
        DebeziumEngine<ChangeEvent<String, String>> engine = DebeziumEngine.create(Json.class)
            .using(properties)
            .using((success, message, error) -> {
                if (!success) {
                    System.err.println(message);
                    if (error != null) error.printStackTrace();
                }
                ended.complete(success);
            })
            .notifying(event -> out.println("{\"topic\":\"" + event.destination()
                + "\",\"key\":" + event.key() + ",\"value\":" + event.value() + "}"))
            .build();
        var executor = Executors.newSingleThreadExecutor();
        executor.execute(engine);
        CompletableFuture<Void> told = CompletableFuture.runAsync(() -> {
            try {
                while (System.in.read() >= 0) {
                }
            } catch (java.io.IOException gone) {
                // Whoever started it is gone: the same as told to stop.
            }
        });
        CompletableFuture.anyOf(told, ended).join();
        if (!ended.isDone()) engine.close();
        System.exit(ended.join() ? 0 : 1);
    }
}
