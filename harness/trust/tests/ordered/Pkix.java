import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/**
 * Judges chains as a Java client does: a line is "seconds shown trusted", certificates in base64. A line with nothing
 * but base64 is a text, of which it says whether Java finds a certificate in it.
 */
public class Pkix {
    public static void main(String[] arguments) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] parts = line.split(" ");
            if (parts.length == 1) {
                System.out.println(isRead(line) ? "read" : "unreadable");
                continue;
            }
            Set<TrustAnchor> anchors = new HashSet<>();
            for (X509Certificate trusted : certificates(parts[2])) {
                anchors.add(new TrustAnchor(trusted, null));
            }
            PKIXBuilderParameters parameters =
                new PKIXBuilderParameters(anchors, new X509CertSelector());
            parameters.setRevocationEnabled(false);
            parameters.setDate(new Date(Long.parseLong(parts[0]) * 1000));
            TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
            factory.init(new CertPathTrustManagerParameters(parameters));
            X509TrustManager manager = (X509TrustManager) factory.getTrustManagers()[0];
            X509Certificate[] shown = certificates(parts[1]).toArray(new X509Certificate[0]);
            try {
                manager.checkServerTrusted(shown, "ECDHE_ECDSA");
                System.out.println("trusted");
            } catch (Exception refusal) {
                System.out.println(refusal);
            }
        }
    }

    private static boolean isRead(String text) {
        try {
            return certificates(text).get(0) != null;
        } catch (Exception unreadable) {
            return false;
        }
    }

    private static List<X509Certificate> certificates(String list) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        List<X509Certificate> found = new ArrayList<>();
        for (String one : list.split(",")) {
            byte[] bytes = Base64.getDecoder().decode(one);
            found.add((X509Certificate) factory.generateCertificate(new ByteArrayInputStream(bytes)));
        }
        return found;
    }
}
