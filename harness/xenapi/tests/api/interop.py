"""Drives a simulated pool with the unmodified package. Prints "all held" at its end."""

import ssl
import sys

import XenAPI

url, member_url, profile, root_password, domain, join_password, ca = sys.argv[1:]
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
assert set(api.host.get_certificates(host)) < set(api.Certificate.get_all())
assert record["type"] == "ca" and record["purpose"] == ["ldaps"], record
assert record["host"] == "OpaqueRef:NULL" and record["name"] == "", record
assert str(record["not_after"]).endswith("Z"), record

# Filters, and a field as the database stores it.
found = api.Certificate.get_all_records_where('field "type"="ca" and field "name"=""')
assert list(found) == [certificate], found
assert certificate not in api.Certificate.get_all_records_where(
    'not field "purpose"="(\'ldaps\')"')
expression = 'field "type" is "ca"'
assert failure(api.Certificate.get_all_records_where, expression) == [
    "INVALID_VALUE", expression, "byte 13: expected `=`, found `is`"]


# A call that goes on by itself: its task tells how it ended.
def outcome(task):
    while api.task.get_status(task) == "pending":
        pass
    record = api.task.get_record(task)
    assert record["progress"] == 1.0 and record["resident_on"] == host, record
    assert record["finished"] >= record["created"], record
    api.task.destroy(task)
    return record["status"], record["result"], record["error_info"]


assert outcome(getattr(api, "Async").pool.certificate_sync()) == (
    "success", "<value></value>", [])
with open(ca) as file:
    task = getattr(api, "Async").pool.install_trusted_certificate(
        pool, True, file.read(), ["ldaps"])
status, result, error = outcome(task)
assert (status, result, error[0]) == ("failure", "", "TRUSTED_CERTIFICATE_ALREADY_EXISTS"), error
assert failure(api.task.get_status, task) == ["HANDLE_INVALID", "task", task]
assert failure(getattr(api, "Async").pool.get_all) == [
    "Fault", "No async mode for this operation (rpc: pool.get_all)"]

# Messages, with a date as the package sends it.
before = XenAPI.xmlrpclib.DateTime("20260101T00:00:00Z")
message = api.message.create("NOTE", "3", "Host", api.host.get_uuid(host), "a < b & c")
assert api.message.get_since(before)[message]["body"] == "a < b & c"
assert api.message.get("Host", api.host.get_uuid(host), before)[message]["priority"] == "3"
assert failure(api.message.create, "NOTE", 3, "Host", "x", "") == ["UUID_INVALID", "Host", "x"]
api.message.destroy(message)
assert api.message.get_all() == []

# Roles are the same in every pool.
[admin] = api.role.get_by_name_label("pool-admin")
assert api.role.get_uuid(admin) == "0165f154-ba3e-034e-6b27-5d271af109ba"
[permission] = api.role.get_by_name_label("pool.install_trusted_certificate")
assert permission in api.role.get_subroles(admin)

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

# A session that has ended is opened again by the package, with the credentials it remembers.
former = session.handle
assert failure(api.session.get_uuid, "OpaqueRef:NULL") == [
    "HANDLE_INVALID", "session", "OpaqueRef:NULL"]
assert XenAPI.Session(url).session.logout(former) == {"Status": "Success", "Value": ""}
assert api.pool.get_all() == [pool]
assert session.handle != former

# The same port takes TLS, with the certificate that the host shows to clients.
secure = XenAPI.Session(url.replace("http:", "https:"), ignore_ssl=True)
secure.xenapi.login_with_password("root", root_password)
assert secure.xenapi.pool.get_all() == [pool]
secure.xenapi.session.logout()
host_name, port = url.removeprefix("http://").split(":")
assert ssl.get_server_certificate((host_name, int(port))).strip() == (
    api.host.get_server_certificate(host).strip())

# A member sends everybody to the coordinator.
member = XenAPI.Session(member_url)
assert failure(member.xenapi.login_with_password, "root", root_password) == [
    "HOST_IS_SLAVE", api.host.get_address(host)]

reference = session.handle
session.xenapi.session.logout()
again = XenAPI.Session(url)
assert again.pool.get_all(reference) == {
    "Status": "Failure", "ErrorDescription": ["SESSION_INVALID", reference]}
print("all held")
