"""Drives a simulated pool with the unmodified package. Prints "all held" at its end."""

import sys

import XenAPI

url, profile, root_password, domain, join_password, ca = sys.argv[1:]
landed = profile == "landed"


def failure(call, *arguments):
    try:
        call(*arguments)
    except XenAPI.Failure as error:
        return error.details
    raise AssertionError("no failure")


session = XenAPI.Session(url)
assert failure(session.xenapi.login_with_password, "root", "wrong") == [
    "SESSION_AUTHENTICATION_FAILED", "root", "Authentication failure"]
session.xenapi.login_with_password("root", root_password, "2.23", "interop")
assert session.API_version == "2.23"

api = session.xenapi
pool = api.pool.get_all()[0]
host = api.pool.get_master(pool)
record = api.host.get_record(host)
assert record["name_label"] == "host1", record
assert record["API_version_major"] == "2", record
assert record["external_auth_configuration"] == {}, record
assert set(api.host.get_all_records()) == set(api.host.get_all())

assert failure(api.pool.fly) == ["MESSAGE_METHOD_UNKNOWN", "pool.fly"]
assert failure(api.pool.external_auth_set_ldaps, pool) == [
    "MESSAGE_PARAMETER_COUNT_MISMATCH", "pool.external_auth_set_ldaps", "2", "1"]
assert failure(api.host.get_uuid, "OpaqueRef:NULL") == ["HANDLE_INVALID", "host", "OpaqueRef:NULL"]
assert failure(api.pool.install_trusted_certificate, pool, True, "<&>", []) == [
    "TRUSTED_CERTIFICATE_INVALID"]

with open(ca) as file:
    api.pool.install_trusted_certificate(pool, True, file.read(), ["ldaps"])
ours = 'field "type"="ca" or field "type"="pinned"'
[(certificate, record)] = api.Certificate.get_all_records_where(ours).items()
assert record["type"] == "ca" and record["purpose"] == ["ldaps"], record
assert record["host"] == "OpaqueRef:NULL" and record["name"] == "", record
assert str(record["not_after"]).endswith("Z"), record

config = {"user": "Administrator", "pass": join_password, "ldaps": "true"}
api.pool.enable_external_auth(pool, config, domain, "AD")
assert api.host.get_external_auth_type(host) == "AD"
assert api.host.get_external_auth_configuration(host)["ldaps"] == "true"
if landed:
    assert failure(api.pool.external_auth_set_ldaps, pool, True) == [
        "AUTH_SET_LDAPS_FAILED", host, "ldaps is already true"]
    api.pool.external_auth_set_ldaps(pool, True, True)
else:
    api.pool.external_auth_set_ldaps(pool, True)
    assert failure(api.pool.external_auth_set_ldaps, pool, True, True) == [
        "MESSAGE_PARAMETER_COUNT_MISMATCH", "pool.external_auth_set_ldaps", "2", "3"]
api.pool.external_auth_set_ldaps(pool, False)
for each in api.host.get_all():
    assert api.host.get_external_auth_configuration(each)["ldaps"] == "false"

api.pool.disable_external_auth(pool, {"user": "Administrator", "pass": join_password})
assert api.host.get_external_auth_type(host) == ""
api.pool.uninstall_trusted_certificate(pool, certificate)
api.pool.certificate_sync()
assert api.Certificate.get_all_records_where(ours) == {}
own = api.Certificate.get_all_records().values()
assert sorted(each["type"] for each in own if each["host"] == host) == ["host", "host_internal"], own
assert "-----BEGIN CERTIFICATE-----" in api.host.get_server_certificate(host)
for name in "a.pem", "b.pem":
    with open(ca) as file:
        api.pool.install_ca_certificate(name, file.read())
assert sorted(api.pool.certificate_list()) == ["a.pem", "b.pem"]
api.pool.uninstall_ca_certificate("a.pem")
api.pool.certificate_uninstall("b.pem")
api.pool.crl_install("list.pem", "list")
assert api.pool.crl_list() == ["list.pem"]
api.pool.crl_uninstall("list.pem")
assert failure(api.pool.crl_uninstall, "list.pem") == ["CRL_DOES_NOT_EXIST", "list.pem"]
assert api.pool.get_current_operations(pool) == {}
assert "copy_primary_host_certs" in api.pool.get_allowed_operations(pool)

reference = session.handle
session.xenapi.session.logout()
again = XenAPI.Session(url)
assert again.pool.get_all(reference) == {
    "Status": "Failure", "ErrorDescription": ["SESSION_INVALID", reference]}
print("all held")
