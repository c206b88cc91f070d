/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * error: the one set of result codes. 0 or a count is success; a failure is a negative number:
 * -errno for what the system said, and the codes below for what only Holdfast can say.
 * A code of another library is mapped in the one file that calls that library.
 */

enum hf_error {
	HF_EBASE = -1000,
	HF_EFORMAT = -1001,      /* bytes that do not have the form they must have */
	HF_ECHECKSUM = -1002,    /* a file or record whose checksum does not match */
	HF_ESCHEMA = -1003,      /* written by a version that this one cannot read */
	HF_ENOTREADY = -1004,    /* nothing to answer from yet */
	HF_EDAMAGED = -1005,     /* the store failed its integrity check */
	HF_ELOCKED = -1006,      /* another bridge has the store */
	HF_ELIMIT = -1007,       /* larger than a limit allows */
	HF_EREFUSED = -1008,     /* well formed, but not acceptable */
	HF_ENAME = -1009,        /* not a name that Holdfast serves */
	HF_ESUFFIX = -1010,      /* not a suffix that Holdfast serves */
	HF_EUNSAFE = -1011,      /* a file whose owner, mode or kind is not safe */
	HF_EPEER = -1012,        /* the peer broke its protocol */
	HF_ECLOSED = -1013,      /* the peer closed */
	HF_EUNSUPPORTED = -1014, /* the peer cannot do it */
	HF_ESTORE = -1015,       /* SQLite failed in a way that errno cannot say */
	HF_ECONFIG = -1016,      /* the configuration is not usable */
	HF_ELAST = -1017,        /* one past the last; not a code */
};

/* A short text for any code above, for 0, and for -errno. Never NULL; static, never freed. */
const char *hf_strerror(int code);

/* The code's name ("HF_EREFUSED", "ENOENT"), for logs and JSON. Never NULL; static. */
const char *hf_errname(int code);
