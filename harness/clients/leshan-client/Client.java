/* SPDX-License-Identifier: Apache-2.0
 *
 * A plain client on Eclipse Leshan's library, as its own demo puts one together: Security, Server and Device, with a
 * bootstrap account, a server account, or both from the factory. It says "ready" when it was started, and stops in order
 * when it is told to end.
 *
 *   Client --endpoint NAME [--bootstrap URI [--instance N]] [--server URI] [--identity HEX --key HEX] [--ssid N]
 *          [--lifetime S] [--retry S] [--ack-timeout S] [--ack-random-factor X] [--max-retransmit N]
 */
import java.util.HashMap;
import java.util.Map;

import org.eclipse.californium.core.network.config.NetworkConfig;
import org.eclipse.leshan.client.californium.LeshanClient;
import org.eclipse.leshan.client.californium.LeshanClientBuilder;
import org.eclipse.leshan.client.engine.DefaultRegistrationEngineFactory;
import org.eclipse.leshan.client.object.Device;
import org.eclipse.leshan.client.object.Security;
import org.eclipse.leshan.client.object.Server;
import org.eclipse.leshan.client.resource.ObjectsInitializer;
import org.eclipse.leshan.core.LwM2mId;

public final class Client {
    private static byte[] bytes(String hex) {
        byte[] out = new byte[hex.length() / 2];
        for (int i = 0; i < out.length; i++) {
            out[i] = (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
        }
        return out;
    }

    private static Map<String, String> options(String[] words) {
        Map<String, String> options = new HashMap<>();
        for (int i = 0; i + 1 < words.length; i += 2) {
            options.put(words[i], words[i + 1]);
        }
        return options;
    }

    private static Security bootstrapAccount(Map<String, String> given) {
        String uri = given.get("--bootstrap");
        Security account = given.containsKey("--key")
                ? Security.pskBootstrap(uri, bytes(given.get("--identity")), bytes(given.get("--key")))
                : Security.noSecBootstap(uri);
        account.setId(Integer.parseInt(given.getOrDefault("--instance", "0")));
        return account;
    }

    private static Security serverAccount(Map<String, String> given, int ssid) {
        String uri = given.get("--server");
        return given.containsKey("--key")
                ? Security.psk(uri, ssid, bytes(given.get("--identity")), bytes(given.get("--key")))
                : Security.noSec(uri, ssid);
    }

    /* The transmission parameters of RFC 7252 §4.8, where they are given. */
    private static NetworkConfig transmission(Map<String, String> given) {
        NetworkConfig config = LeshanClientBuilder.createDefaultNetworkConfig();
        if (given.containsKey("--ack-timeout")) {
            config.setInt(NetworkConfig.Keys.ACK_TIMEOUT, Math.round(1000 * Float.parseFloat(given.get("--ack-timeout"))));
        }
        if (given.containsKey("--ack-random-factor")) {
            config.setFloat(NetworkConfig.Keys.ACK_RANDOM_FACTOR, Float.parseFloat(given.get("--ack-random-factor")));
        }
        if (given.containsKey("--max-retransmit")) {
            config.setInt(NetworkConfig.Keys.MAX_RETRANSMIT, Integer.parseInt(given.get("--max-retransmit")));
        }
        return config;
    }

    /* After an attempt that failed the library waits ten minutes, unless it is told. */
    private static DefaultRegistrationEngineFactory engine(Map<String, String> given) {
        DefaultRegistrationEngineFactory engine = new DefaultRegistrationEngineFactory();
        if (given.containsKey("--retry")) {
            engine.setRetryWaitingTimeInMs(1000 * Integer.parseInt(given.get("--retry")));
        }
        return engine;
    }

    /* The end that a signal asks for is an orderly one: exit status 0. */
    private static void stop(LeshanClient client) {
        client.destroy(true);
        Runtime.getRuntime().halt(0);
    }

    public static void main(String[] words) {
        Map<String, String> given = options(words);
        int ssid = Integer.parseInt(given.getOrDefault("--ssid", "1"));
        long lifetime = Long.parseLong(given.getOrDefault("--lifetime", "86400"));
        ObjectsInitializer objects = new ObjectsInitializer();
        if (!given.containsKey("--server")) {
            objects.setInstancesForObject(LwM2mId.SECURITY, bootstrapAccount(given));
            objects.setClassForObject(LwM2mId.SERVER, Server.class);
        } else {
            Security server = serverAccount(given, ssid);
            if (given.containsKey("--bootstrap")) {
                objects.setInstancesForObject(LwM2mId.SECURITY, bootstrapAccount(given), server);
            } else {
                objects.setInstancesForObject(LwM2mId.SECURITY, server);
            }
            objects.setInstancesForObject(LwM2mId.SERVER, new Server(ssid, lifetime));
        }
        objects.setInstancesForObject(LwM2mId.DEVICE, new Device("Leshan", "plain", "1"));
        LeshanClientBuilder builder = new LeshanClientBuilder(given.getOrDefault("--endpoint", "dev-1"));
        builder.setObjects(objects.createAll());
        builder.setCoapConfig(transmission(given));
        builder.setRegistrationEngineFactory(engine(given));
        LeshanClient client = builder.build();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(client)));
        client.start();
        System.out.println("ready");
    }
}
