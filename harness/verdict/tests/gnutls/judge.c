/* The other judge of the differential test: GnuTLS itself, called as Samba calls it.
 *
 * Reads cases from stdin until it ends. A case is a kind octet and fields, each a 32-bit big-endian
 * length and that many octets.
 *   'V': time in decimal, CA file, CRL file (empty: none), host name (empty: none), then
 *        a field with the number of certificates in decimal and that many fields of DER.
 *   'P': a priority string.
 *   'G': nothing; the answer is the version of GnuTLS.
 * Answers one line per case: the name of the first error, or the status in hexadecimal.
 */
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static time_t now;

static time_t given_time(time_t *t)
{
	if (t)
		*t = now;
	return now;
}

static gnutls_datum_t field(void)
{
	gnutls_datum_t d = { NULL, 0 };
	unsigned char l[4];

	if (fread(l, 1, 4, stdin) != 4)
		exit(2);
	d.size = (unsigned)l[0] << 24 | l[1] << 16 | l[2] << 8 | l[3];
	d.data = calloc(1, d.size + 1);
	if (d.size && fread(d.data, 1, d.size, stdin) != d.size)
		exit(2);
	return d;
}

static void answer_priority(void)
{
	gnutls_datum_t text = field();
	gnutls_session_t session;
	int ret;

	gnutls_init(&session, GNUTLS_CLIENT);
	gnutls_set_default_priority(session);
	ret = gnutls_priority_set_direct(session, (char *)text.data, NULL);
	printf("%s\n", ret < 0 ? gnutls_strerror_name(ret) : "ok");
	gnutls_deinit(session);
	free(text.data);
}

static void answer_verify(void)
{
	gnutls_certificate_credentials_t cred;
	gnutls_x509_trust_list_t list;
	gnutls_datum_t when = field(), ca = field(), crl = field(), host = field();
	gnutls_datum_t count = field();
	unsigned n = (unsigned)atoi((char *)count.data), i, status = 0;
	gnutls_x509_crt_t crts[64];
	gnutls_typed_vdata_st vdata = { GNUTLS_DT_DNS_HOSTNAME, host.data, host.size };
	const char *where = NULL;
	int ret, error = 0;

	now = (time_t)atoll((char *)when.data);
	gnutls_certificate_allocate_credentials(&cred);
	ret = gnutls_certificate_set_x509_trust_mem(cred, &ca, GNUTLS_X509_FMT_PEM);
	if (ret < 0 && ret != GNUTLS_E_NO_CERTIFICATE_FOUND)
		where = "cafile", error = ret;
	if (!where && crl.size) {
		ret = gnutls_certificate_set_x509_crl_mem(cred, &crl, GNUTLS_X509_FMT_PEM);
		if (ret < 0)
			where = "crlfile", error = ret;
	}
	for (i = 0; i < n; i++) {
		gnutls_datum_t der = field();
		gnutls_x509_crt_init(&crts[i]);
		ret = gnutls_x509_crt_import(crts[i], &der, GNUTLS_X509_FMT_DER);
		if (ret < 0 && !where)
			where = "certificate", error = ret;
		free(der.data);
	}
	if (!where) {
		gnutls_certificate_get_trust_list(cred, &list);
		ret = gnutls_x509_trust_list_verify_crt2(
			list, crts, n, &vdata, host.size ? 1 : 0,
			GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_LOW), &status, NULL);
		if (ret < 0)
			where = "verify", error = ret;
	}
	if (where)
		printf("%s %s\n", where, gnutls_strerror_name(error));
	else
		printf("0x%x\n", status);
	for (i = 0; i < n; i++)
		gnutls_x509_crt_deinit(crts[i]);
	gnutls_certificate_free_credentials(cred);
	free(when.data), free(ca.data), free(crl.data), free(host.data), free(count.data);
}

int main(void)
{
	int kind;

	gnutls_global_set_time_function(given_time);
	while ((kind = getchar()) != EOF) {
		if (kind == 'P')
			answer_priority();
		else if (kind == 'G')
			printf("%s\n", gnutls_check_version(NULL));
		else
			answer_verify();
		fflush(stdout);
	}
	return 0;
}
