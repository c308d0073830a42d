"""What a user of ldap3 does with an AD server. Arguments: the lines of `fake-dc serve`, and the file
of a CA that is not the domain's."""

import json
import ssl
import sys

import ldap3
from ldap3.core.exceptions import LDAPSocketOpenError, LDAPStartTLSError

dc1, dc2, dc3, ready = json.loads(sys.argv[1])
foreign_ca = sys.argv[2]
base = "DC=corp,DC=example"
password = "Passw0rd!Lab1"


def server(dc, service, ca_file=ready["ca_file"], names=None):
    tls = ldap3.Tls(
        validate=ssl.CERT_REQUIRED,
        ca_certs_file=ca_file,
        version=ssl.PROTOCOL_TLS_CLIENT,
        valid_names=names,
    )
    return ldap3.Server(
        dc["address"],
        port=dc[service],
        use_ssl=service in ("ldaps", "gcs"),
        tls=tls,
        get_info=ldap3.ALL,
    )


def connect(server, user="Administrator@corp.example", secret=password, **options):
    way = ldap3.AUTO_BIND_NO_TLS if server.ssl else ldap3.AUTO_BIND_TLS_BEFORE_BIND
    options.setdefault("auto_bind", way)
    return ldap3.Connection(server, user, secret, **options)


# The address is in the certificates beside the name; both are checked.
for service in ("ldaps", "ldap", "gcs", "gc"):
    for names in (None, ["dc1.corp.example"]):
        with connect(server(dc1, service, names=names)) as connection:
            assert connection.tls_started or connection.server.ssl
            assert connection.extend.standard.who_am_i() == "u:CORP\\Administrator"
            info = connection.server.info
            assert info.other["dnsHostName"] == "dc1.corp.example", info.other
            assert base in info.naming_contexts
            assert "1.2.840.113556.1.4.319" in [control[0] for control in info.supported_controls]

            def names(size):
                pages = connection.extend.standard.paged_search(
                    base, "(objectClass=*)", attributes=["cn"], paged_size=size, generator=True
                )
                # ldap3 turns each page around.
                return sorted(e["dn"] for e in pages if e["type"] == "searchResEntry")

            large, small = names(1000), names(90)
            assert len(large) > 90 and small == large, (len(large), len(small))

            connection.search(base, "(sAMAccountName=krbtgt)", attributes=["*"])
            (krbtgt,) = connection.entries
            assert str(krbtgt.objectSid).startswith("S-1-5-21-"), krbtgt.objectSid
            assert krbtgt.entry_dn == "CN=krbtgt,CN=Users," + base

# The subschema was read, too: ldap3 knows what an attribute is like.
with connect(server(dc1, "ldaps")) as connection:
    schema = connection.server.schema
    assert schema.attribute_types["sAMAccountName"].single_value
    assert "user" in schema.object_classes

    dn = "CN=Zoë (ldap3),CN=Users," + base
    account = {"sAMAccountName": "zoe", "userPrincipalName": "zoe@corp.example"}
    assert connection.add(dn, "user", account), connection.result
    assert connection.extend.microsoft.modify_password(dn, "Secr3t!Lab2"), connection.result
    enabled = {"userAccountControl": [(ldap3.MODIFY_REPLACE, [512])]}
    assert connection.modify(dn, enabled), connection.result
    assert connection.compare(dn, "sAMAccountName", "ZOE")
    with connect(server(dc1, "ldap"), "CORP\\zoe", "Secr3t!Lab2") as zoe:
        assert zoe.extend.standard.who_am_i() == "u:CORP\\zoe"
    assert connection.modify_dn(dn, "CN=Zoë"), connection.result
    assert connection.delete("CN=Zoë,CN=Users," + base), connection.result

wrong = connect(server(dc1, "ldaps"), secret="wrong", auto_bind=ldap3.AUTO_BIND_NONE)
assert not wrong.bind()
assert wrong.result["description"] == "invalidCredentials" and "data 52e" in wrong.result["message"]
wrong.unbind()


def refused(server, words):
    try:
        connect(server)
    except (LDAPSocketOpenError, LDAPStartTLSError) as error:
        assert words in str(error), error
    else:
        raise AssertionError(f"{server} was believed")


for service in ("ldaps", "ldap", "gcs", "gc"):
    refused(server(dc1, service, ca_file=foreign_ca), "certificate verify failed")
    refused(server(dc2, service, names=["dc2.corp.example"]), "doesn't match")
    refused(server(dc3, service), "unable to get local issuer certificate")

print("all held")
