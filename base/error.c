/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <string.h>

static const struct {
	const char *name;
	const char *text;
} own[] = {
#define OWN(code, text) [HF_EBASE - (code)] = { #code, text }
	OWN(HF_EFORMAT, "not in the expected form"),
	OWN(HF_ECHECKSUM, "checksum does not match"),
	OWN(HF_ESCHEMA, "written by a version that this one cannot read"),
	OWN(HF_ENOTREADY, "not ready yet"),
	OWN(HF_EDAMAGED, "damaged"),
	OWN(HF_ELOCKED, "in use by another process"),
	OWN(HF_ELIMIT, "larger than the limit"),
	OWN(HF_EREFUSED, "refused"),
	OWN(HF_ENAME, "not a name that can be served"),
	OWN(HF_ESUFFIX, "not a suffix that can be served"),
	OWN(HF_EUNSAFE, "owner, mode or kind of the file is not safe"),
	OWN(HF_EPEER, "the peer broke the protocol"),
	OWN(HF_ECLOSED, "closed by the peer"),
	OWN(HF_EUNSUPPORTED, "the peer cannot do this"),
	OWN(HF_ESTORE, "the database failed"),
	OWN(HF_ECONFIG, "the configuration is not usable"),
#undef OWN
};

static int own_index(int code)
{
	return code < HF_EBASE && code > HF_ELAST ? HF_EBASE - code : 0;
}

const char *hf_strerror(int code)
{
	const char *text;

	if (code >= 0)
		return "success";
	if (own_index(code))
		return own[own_index(code)].text;
	text = code > HF_EBASE ? strerrordesc_np(-code) : NULL;
	return text ? text : "unknown error";
}

const char *hf_errname(int code)
{
	const char *name;

	if (code >= 0)
		return "OK";
	if (own_index(code))
		return own[own_index(code)].name;
	name = code > HF_EBASE ? strerrorname_np(-code) : NULL;
	return name ? name : "EUNKNOWN";
}
