/* SPDX-License-Identifier: Apache-2.0
 *
 * Eclipse Leshan's bootstrap server and LwM2M server in one process, driven by lines: commands on standard input, what
 * happens on standard output. Both listen on the loopback, at ports of the system's choice.
 *
 *   psk ENDPOINT BS-IDENTITY BS-KEY IDENTITY KEY   pre-shared keys of a client, hexadecimal keys
 *   bootstrap ENDPOINT LIFETIME [secure]           what the bootstrap server writes: an account for the server here
 *   read|observe|discover|cancel ENDPOINT PATH     operations of the server
 *   write ENDPOINT PATH INTEGER
 *   execute ENDPOINT PATH
 *   queue ENDPOINT                                 whether the client is registered in queue mode
 *
 * Every command is answered with a line "answer CODE [TEXT]"; between them come "registered ENDPOINT BINDING LIFETIME
 * LINKS", "updated ENDPOINT LIFETIME", "unregistered ENDPOINT", "notified PATH TEXT", "bootstrap WHAT [TEXT]".
 */
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import org.eclipse.leshan.core.Link;
import org.eclipse.leshan.core.SecurityMode;
import org.eclipse.leshan.core.node.LwM2mNode;
import org.eclipse.leshan.core.node.LwM2mSingleResource;
import org.eclipse.leshan.core.observation.Observation;
import org.eclipse.leshan.core.request.BindingMode;
import org.eclipse.leshan.core.request.BootstrapDownlinkRequest;
import org.eclipse.leshan.core.request.CancelObservationRequest;
import org.eclipse.leshan.core.request.DiscoverRequest;
import org.eclipse.leshan.core.request.DownlinkRequest;
import org.eclipse.leshan.core.request.ExecuteRequest;
import org.eclipse.leshan.core.request.ObserveRequest;
import org.eclipse.leshan.core.request.ReadRequest;
import org.eclipse.leshan.core.request.WriteRequest;
import org.eclipse.leshan.core.response.DiscoverResponse;
import org.eclipse.leshan.core.response.LwM2mResponse;
import org.eclipse.leshan.core.response.ObserveResponse;
import org.eclipse.leshan.core.response.ReadResponse;
import org.eclipse.leshan.server.bootstrap.BootstrapConfig;
import org.eclipse.leshan.server.bootstrap.BootstrapFailureCause;
import org.eclipse.leshan.server.bootstrap.BootstrapSession;
import org.eclipse.leshan.server.bootstrap.BootstrapSessionAdapter;
import org.eclipse.leshan.server.californium.LeshanServer;
import org.eclipse.leshan.server.californium.LeshanServerBuilder;
import org.eclipse.leshan.server.californium.bootstrap.LeshanBootstrapServer;
import org.eclipse.leshan.server.californium.bootstrap.LeshanBootstrapServerBuilder;
import org.eclipse.leshan.server.observation.ObservationListener;
import org.eclipse.leshan.server.registration.Registration;
import org.eclipse.leshan.server.registration.RegistrationListener;
import org.eclipse.leshan.server.registration.RegistrationUpdate;
import org.eclipse.leshan.server.security.BootstrapSecurityStore;
import org.eclipse.leshan.server.security.InMemorySecurityStore;
import org.eclipse.leshan.server.security.SecurityInfo;

public final class Peer {
    private static final long PATIENCE_MS = 10000;

    private final Map<String, BootstrapConfig> configs = new ConcurrentHashMap<>();
    private final Map<String, SecurityInfo> bootstrapKeys = new ConcurrentHashMap<>();
    private final Map<String, SecurityInfo> serverKeys = new ConcurrentHashMap<>();
    private final Map<String, Observation> observations = new ConcurrentHashMap<>();
    private final InMemorySecurityStore keys = new InMemorySecurityStore();
    private final LeshanBootstrapServer bootstrap;
    private final LeshanServer server;

    private static synchronized void say(String line) {
        System.out.println(line.replace('\n', ' '));
        System.out.flush();
    }

    private static InetSocketAddress anyPort() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    private static byte[] bytes(String hex) {
        byte[] out = new byte[hex.length() / 2];
        for (int i = 0; i < out.length; i++) {
            out[i] = (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
        }
        return out;
    }

    /* --- putting together --- */

    private Peer() {
        LeshanBootstrapServerBuilder first = new LeshanBootstrapServerBuilder();
        first.setLocalAddress(anyPort());
        first.setLocalSecureAddress(anyPort());
        first.setConfigStore((endpoint, identity, session) -> configs.get(endpoint));
        first.setSecurityStore(new BootstrapKeys());
        bootstrap = first.build();
        bootstrap.addListener(new BootstrapEvents());
        LeshanServerBuilder second = new LeshanServerBuilder();
        second.setLocalAddress(anyPort());
        second.setLocalSecureAddress(anyPort());
        second.setSecurityStore(keys);
        server = second.build();
        server.getRegistrationService().addListener(new RegistrationEvents());
        server.getObservationService().addListener(new ObservationEvents());
    }

    private final class BootstrapKeys implements BootstrapSecurityStore {
        @Override
        public Iterator<SecurityInfo> getAllByEndpoint(String endpoint) {
            SecurityInfo info = bootstrapKeys.get(endpoint);
            return info == null ? null : Collections.singletonList(info).iterator();
        }

        @Override
        public SecurityInfo getByIdentity(String identity) {
            return bootstrapKeys.values().stream().filter(i -> i.getIdentity().equals(identity)).findAny().orElse(null);
        }
    }

    /* --- what happens --- */

    private static final class BootstrapEvents extends BootstrapSessionAdapter {
        @Override
        public void onResponseSuccess(BootstrapSession session,
                BootstrapDownlinkRequest<? extends LwM2mResponse> request, LwM2mResponse response) {
            say("bootstrap accepted " + request.getClass().getSimpleName() + " " + response.getCode().getCode());
        }

        @Override
        public void onResponseError(BootstrapSession session, BootstrapDownlinkRequest<? extends LwM2mResponse> request,
                LwM2mResponse response) {
            say("bootstrap refused " + request + " " + response.getCode().getCode());
        }

        @Override
        public void end(BootstrapSession session) {
            say("bootstrap finished " + session.getEndpoint());
        }

        @Override
        public void failed(BootstrapSession session, BootstrapFailureCause cause) {
            say("bootstrap failed " + cause);
        }
    }

    private static final class RegistrationEvents implements RegistrationListener {
        @Override
        public void registered(Registration r, Registration before, Collection<Observation> observations) {
            say("registered " + r.getEndpoint() + " " + BindingMode.toString(r.getBindingMode()) + " "
                    + r.getLifeTimeInSec() + " " + Link.serialize(r.getSortedObjectLinks()));
        }

        @Override
        public void updated(RegistrationUpdate update, Registration now, Registration before) {
            say("updated " + now.getEndpoint() + " " + now.getLifeTimeInSec());
        }

        @Override
        public void unregistered(Registration r, Collection<Observation> observations, boolean expired,
                Registration next) {
            if (next == null) {
                say("unregistered " + r.getEndpoint() + (expired ? " expired" : ""));
            }
        }
    }

    private static final class ObservationEvents implements ObservationListener {
        @Override
        public void newObservation(Observation observation, Registration registration) {
        }

        @Override
        public void cancelled(Observation observation) {
        }

        @Override
        public void onResponse(Observation observation, Registration registration, ObserveResponse response) {
            say("notified " + observation.getPath() + " " + text(response.getContent()));
        }

        @Override
        public void onError(Observation observation, Registration registration, Exception error) {
            say("notified " + observation.getPath() + " error " + error);
        }
    }

    private static String text(LwM2mNode node) {
        boolean single = node instanceof LwM2mSingleResource;
        return single ? String.valueOf(((LwM2mSingleResource) node).getValue()) : String.valueOf(node);
    }

    /* --- commands --- */

    private void takeKeys(String[] words) throws Exception {
        bootstrapKeys.put(words[1], SecurityInfo.newPreSharedKeyInfo(words[1], words[2], bytes(words[3])));
        SecurityInfo own = SecurityInfo.newPreSharedKeyInfo(words[1], words[4], bytes(words[5]));
        serverKeys.put(words[1], own);
        keys.add(own);
        say("answer 204");
    }

    private BootstrapConfig.ServerSecurity account(String endpoint, boolean secure) {
        BootstrapConfig.ServerSecurity account = new BootstrapConfig.ServerSecurity();
        InetSocketAddress at = secure ? server.getSecuredAddress() : server.getUnsecuredAddress();
        account.uri = (secure ? "coaps" : "coap") + "://127.0.0.1:" + at.getPort();
        account.bootstrapServer = false;
        account.serverId = 101;
        account.securityMode = secure ? SecurityMode.PSK : SecurityMode.NO_SEC;
        if (secure) {
            SecurityInfo info = serverKeys.get(endpoint);
            account.publicKeyOrId = info.getIdentity().getBytes(StandardCharsets.UTF_8);
            account.secretKey = info.getPreSharedKey();
        }
        return account;
    }

    private void configure(String[] words) {
        BootstrapConfig config = new BootstrapConfig();
        BootstrapConfig.ServerConfig settings = new BootstrapConfig.ServerConfig();
        config.toDelete = Arrays.asList("/0", "/1");
        config.security.put(1, account(words[1], words.length > 3));
        settings.shortId = 101;
        settings.lifetime = Integer.parseInt(words[2]);
        settings.binding = EnumSet.of(BindingMode.U);
        config.servers.put(0, settings);
        configs.put(words[1], config);
        say("answer 204");
    }

    private <T extends LwM2mResponse> T ask(Registration client, DownlinkRequest<T> request) throws Exception {
        T response = server.send(client, request, PATIENCE_MS);
        if (response == null) {
            say("answer none");
            return null;
        }
        String more = "";
        if (response instanceof ReadResponse && response.isSuccess()) {
            more = " " + text(((ReadResponse) response).getContent());
        } else if (response instanceof DiscoverResponse && response.isSuccess()) {
            more = " " + Link.serialize(((DiscoverResponse) response).getObjectLinks());
        }
        say("answer " + response.getCode().getCode() + more);
        return response;
    }

    private void operate(String[] words) throws Exception {
        Registration client = server.getRegistrationService().getByEndpoint(words[1]);
        if (client == null) {
            say("answer unknown");
            return;
        }
        if (words[0].equals("queue")) {
            say("answer 205 " + client.usesQueueMode());
            return;
        }
        String path = words[2];
        switch (words[0]) {
        case "read":
            ask(client, new ReadRequest(path));
            break;
        case "discover":
            ask(client, new DiscoverRequest(path));
            break;
        case "execute":
            ask(client, new ExecuteRequest(path));
            break;
        case "observe":
            ObserveResponse response = ask(client, new ObserveRequest(path));
            if (response != null && response.isSuccess()) {
                observations.put(path, response.getObservation());
            }
            break;
        case "cancel":
            ask(client, new CancelObservationRequest(observations.remove(path)));
            break;
        case "write":
            String[] ids = path.split("/");
            ask(client, new WriteRequest(Integer.parseInt(ids[1]), Integer.parseInt(ids[2]), Integer.parseInt(ids[3]),
                    Long.parseLong(words[3])));
            break;
        default:
            say("answer what?");
        }
    }

    private void run() throws Exception {
        bootstrap.start();
        server.start();
        say("ready " + bootstrap.getUnsecuredAddress().getPort() + " " + bootstrap.getSecuredAddress().getPort());
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String[] words = line.trim().split(" ");
            try {
                if (words[0].equals("psk")) {
                    takeKeys(words);
                } else if (words[0].equals("bootstrap")) {
                    configure(words);
                } else {
                    operate(words);
                }
            } catch (Exception error) {
                say("answer error " + error);
            }
        }
        bootstrap.destroy();
        server.destroy();
    }

    public static void main(String[] arguments) throws Exception {
        new Peer().run();
    }
}
