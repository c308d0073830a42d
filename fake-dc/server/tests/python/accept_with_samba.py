"""Accepts a ticket as a Samba file server does, and prints what its PAC says of the client."""

import sys

from samba import auth, gensec, param
from samba.credentials import MUST_USE_KERBEROS, Credentials
from samba.dcerpc.misc import SEC_CHAN_WKSTA

configuration, server, user, password = sys.argv[1:]
settings = param.LoadParm()
settings.load(configuration)


def credentials(name):
    made = Credentials()
    made.guess(settings)
    made.set_username(name)
    made.set_password(password)
    made.set_realm(settings.get("realm"))
    made.set_domain(settings.get("workgroup"))
    made.set_kerberos_state(MUST_USE_KERBEROS)
    if name.endswith("$"):
        # The salt of a computer's keys.
        made.set_secure_channel_type(SEC_CHAN_WKSTA)
    return made


def side(start, name, **more):
    made = start({"lp_ctx": settings, "target_hostname": server}, **more)
    made.set_credentials(credentials(name))
    made.want_feature(gensec.FEATURE_SEAL)
    return made


client = side(gensec.Security.start_client, user)
client.set_target_service("host")
client.set_target_hostname(server)
client.start_mech_by_name("gssapi_krb5")
context = auth.AuthContext(lp_ctx=settings, methods=["anonymous"])
machine = server.split(".")[0].upper() + "$"
acceptor = side(gensec.Security.start_server, machine, auth_context=context)
acceptor.start_mech_by_name("gssapi_krb5")

token, done = b"", [False, False]
while not all(done):
    for number, one in enumerate([client, acceptor]):
        if not done[number]:
            done[number], token = one.update(token)

session = acceptor.session_info()
info = session.info
print(info.domain_name, info.account_name, info.full_name, info.logon_server, hex(info.acct_flags))
for sid in session.security_token.sids:
    print(sid)
