/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/follow/source_settings.h"

#include "config/config.h"

static struct hf_texts source_texts(const struct hf_strings *s)
{
	return (struct hf_texts){ .at = (const char *const *)s->at, .n = s->n };
}

static struct hf_stream_limits source_limits(const struct hf_config_source *conf)
{
	const struct hf_config_limits *l = &conf->limits;

	return (struct hf_stream_limits){ .message = (size_t)conf->max_message,
		.record = (size_t)l->record,
		.results = (size_t)l->results,
		.drpc_frame = (size_t)l->drpc_frame,
		.drpc_frames = (unsigned)l->drpc_frames,
		.streams = (unsigned)l->streams,
		.ws_frame = (size_t)l->ws_frame,
		.head = (size_t)l->head,
		.head_fields = (unsigned)l->head_fields,
		.pongs = (unsigned)l->pongs,
		.control = (unsigned)l->control,
		.control_span_ms = (unsigned)l->control_span_ms,
		.unsent = (size_t)l->unsent };
}

static struct hf_stream_timeouts source_timeouts(const struct hf_config_timeouts *t)
{
	return (struct hf_stream_timeouts){ .resolve_ms = t->resolve_ms,
		.address_delay_ms = t->address_delay_ms,
		.connect_ms = t->connect_ms,
		.head_ms = t->head_ms,
		.request_ms = t->request_ms,
		.first_message_ms = t->first_message_ms,
		.second_snapshot_ms = t->second_snapshot_ms,
		.header_command_ms = t->header_command_ms,
		.ping_interval_ms = t->ping_interval_ms,
		.ping_timeout_ms = t->ping_timeout_ms,
		.doubt_ms = t->doubt_ms };
}

static struct hf_stream_retry source_retry(const struct hf_config_retry *r)
{
	return (struct hf_stream_retry){ .floor_ms = r->floor_ms,
		.cap_ms = r->cap_ms,
		.steady_ms = r->steady_ms,
		.permanent_ms = r->permanent_ms,
		.unauthorised_ms = r->unauthorised_ms,
		.events_ms = r->events_ms,
		.per_minute = (unsigned)r->per_minute };
}

void hf_source_settings_fill(
    const struct hf_config_source *conf, const char *url, struct hf_stream_settings *ret_settings)
{
	*ret_settings = (struct hf_stream_settings){ .name = conf->name,
		.url = url,
		.ca_file = conf->ca_file,
		.client_cert = conf->client_cert,
		.client_key = conf->client_key,
		.proxy = conf->proxy,
		.headers = source_texts(&conf->headers),
		.header_command = source_texts(&conf->header_command),
		.owners = source_texts(&conf->owners),
		.ask_suffix = !conf->suffix.len,
		.snapshot_interval_ms = conf->snapshot_interval_ms,
		.limits = source_limits(conf),
		.timeouts = source_timeouts(&conf->timeouts),
		.retry = source_retry(&conf->retry) };
}
