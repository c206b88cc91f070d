/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dnsmasq_setup: what to put into dnsmasq's configuration.
 */
#include <arpa/inet.h>

#include "adapters/dnsmasq/dnsmasq_private.h"

/* A suffix that is asked of the server is "coder" unless its operator chose another. */
static void print_suffixes(const struct hf_config *config, FILE *out)
{
	char text[HF_NAME_TEXT_MAX];
	bool asked = false;

	for (size_t i = 0; i < config->sources.n; i++) {
		const struct hf_name *suffix = &config->sources.at[i].suffix;

		if (suffix->len)
			fprintf(out, "local=/%s/\n", hf_name_text(suffix, text));
		asked |= !suffix->len;
	}
	if (asked)
		fputs("# 'suffix: auto': 'holdfastctl sources' shows which one it is.\n"
		      "local=/coder/\n",
		    out);
}

void hf_dnsmasq_setup(
    const struct hf_config *config, const struct hf_config_adapter *adapter, FILE *out)
{
	const struct hf_config_dnsmasq *d = &adapter->dnsmasq;

	fprintf(out, "# For dnsmasq: /etc/dnsmasq.d/holdfast.conf, then restart dnsmasq.\n");
	if (d->hostsdir)
		fprintf(out,
		    "# The folder must be there before dnsmasq starts, and the same folder must\n"
		    "# stay: install -d -m 0755 -o holdfast %s\n"
		    "hostsdir=%s\n",
		    d->hostsdir, d->hostsdir);
	else
		fprintf(
		    out, "# It is read when dnsmasq gets SIGHUP.\naddn-hosts=%s\n", d->hosts_file);
	if (d->hosts_file && !d->pid_file)
		fputs("# Without pid-file: systemctl enable --now holdfast-dnsmasq-reload.path\n",
		    out);
	fputs("# Unknown names of the suffix, and types that a name does not have, are answered\n"
	      "# here and never asked of other servers. Rebind protection does not concern them.\n",
	    out);
	print_suffixes(config, out);
	fputs(
	    "# dnsmasq lays out its table of names by it, once; with many names that come later,\n"
	    "# answers are slower than they need to be.\ncache-size=10000\n",
	    out);
	fprintf(out, "# Without it clients may not keep an answer at all.\nlocal-ttl=%lld\n",
	    (long long)config->ttl_s);
}
