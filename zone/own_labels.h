/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * own_labels: every label that is Holdfast's own. All begin with HF_OWN_LABEL, and nothing that
 * begins so is taken from a server or from the configuration.
 */

/* The prefix of all, and by itself the label whose TXT records tell the origin of a name. */
#define HF_OWN_LABEL "_holdfast"

/* TXT: the counters of a plugin, which say who answers. */
#define HF_OWN_LABEL_COUNTERS HF_OWN_LABEL "-counters"
/* TXT: in a resolver that is fed, the proof that the data is still there. */
#define HF_OWN_LABEL_CANARY HF_OWN_LABEL "-canary"
/* TXT: beside the canary, written once when a fill begins. */
#define HF_OWN_LABEL_FILL HF_OWN_LABEL "-fill"

/* Names that are asked for and exist nowhere, or for a moment. */
#define HF_OWN_LABEL_PROBE HF_OWN_LABEL "-probe"
#define HF_OWN_LABEL_ASKS HF_OWN_LABEL "-asks"
#define HF_OWN_LABEL_ABSENT HF_OWN_LABEL "-is-not-there"
/* A number follows. */
#define HF_OWN_LABEL_DOCTOR HF_OWN_LABEL "-doctor-"
#define HF_OWN_LABEL_LEAK HF_OWN_LABEL "-leak-"
