/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * stream_fault: one name for each way in which a control stream can go wrong, for counting in the
 * status, for logs and for tests. A decoder that fails returns an HF_E code and keeps the reason in
 * `trouble`.
 */
#include "base/error.h"

/*
 * Columns: constant, code that the failing function returns, name in the status, text for people.
 * What is under "refuses" or "ends" harms one message or one call; all else ends the connection.
 */
#define HF_STREAM_FAULT_TABLE(X)                                                                   \
	X(NONE, 0, "none", "nothing is wrong")                                                     \
	X(MEMORY, -ENOMEM, "memory", "out of memory")                                              \
	/* HTTP: the answer to the upgrade */                                                      \
	X(HTTP_FORM, HF_EPEER, "http-form", "the answer is not HTTP")                              \
	X(HTTP_FIELD, HF_EPEER, "http-field", "a header line of the answer is malformed")          \
	X(HTTP_SIZE, HF_ELIMIT, "http-size", "the head of the answer is over its limit")           \
	X(HTTP_EOF, HF_ECLOSED, "http-eof", "closed before the answer to the upgrade was whole")   \
	X(HTTP_STATUS, HF_EREFUSED, "http-status", "the server refused the upgrade")               \
	X(HTTP_VERSION, HF_EPEER, "http-version", "the upgrade was answered with HTTP/1.0")        \
	X(HTTP_UPGRADE, HF_EPEER, "http-upgrade", "101 without Upgrade: websocket")                \
	X(HTTP_ACCEPT, HF_EPEER, "http-accept", "Sec-WebSocket-Accept is missing or wrong")        \
	X(HTTP_EXTENSION, HF_EPEER, "http-extension",                                              \
	    "an extension or subprotocol was chosen that was not offered")                         \
	/* websocket */                                                                            \
	X(WS_PROTOCOL, HF_EPEER, "ws-protocol", "a websocket frame is malformed")                  \
	X(WS_UTF8, HF_EPEER, "ws-utf8", "a websocket text is not UTF-8")                           \
	X(WS_TEXT, HF_EPEER, "ws-text", "a text message where binary is due")                      \
	X(WS_SIZE, HF_ELIMIT, "ws-size", "a websocket frame is over its limit")                    \
	X(WS_FLOOD, HF_ELIMIT, "ws-flood", "too many websocket control frames without data")       \
	X(WS_CLOSED, HF_ECLOSED, "ws-closed", "the server closed the websocket")                   \
	X(WS_EOF, HF_ECLOSED, "ws-eof", "the connection ended without a websocket close")          \
	X(UNSENT, HF_ELIMIT, "unsent", "the server does not take what is sent to it")              \
	/* yamux */                                                                                \
	X(YAMUX_VERSION, HF_EPEER, "yamux-version", "a yamux frame of another version")            \
	X(YAMUX_TYPE, HF_EPEER, "yamux-type", "a yamux frame of an unknown type")                  \
	X(YAMUX_FLAGS, HF_EPEER, "yamux-flags", "a yamux frame with flags that it cannot have")    \
	X(YAMUX_SYN, HF_EPEER, "yamux-syn", "the server opened a yamux stream")                    \
	X(YAMUX_STREAM, HF_EPEER, "yamux-stream", "a yamux frame for a stream that is not open")   \
	X(YAMUX_WINDOW, HF_EPEER, "yamux-window", "more data than the yamux window allows")        \
	X(YAMUX_OVERFLOW, HF_EPEER, "yamux-overflow", "yamux window updates overflow")             \
	X(YAMUX_FLOOD, HF_ELIMIT, "yamux-flood", "too many yamux control frames without data")     \
	X(YAMUX_PONG, HF_EPEER, "yamux-pong", "the answer to a yamux ping that was not sent")      \
	X(YAMUX_GOAWAY, HF_ECLOSED, "yamux-goaway", "the server ended the yamux session")          \
	X(YAMUX_CUT, HF_EPEER, "yamux-cut", "a stream was cut in mid message")                     \
	/* dRPC */                                                                                 \
	X(DRPC_VARINT, HF_EPEER, "drpc-varint", "a dRPC number is malformed")                      \
	X(DRPC_STREAM, HF_EPEER, "drpc-stream", "a dRPC frame of another stream")                  \
	X(DRPC_ID, HF_EPEER, "drpc-id", "dRPC message ids go backwards")                           \
	X(DRPC_KIND, HF_EPEER, "drpc-kind", "a dRPC packet that a server cannot send")             \
	X(DRPC_FRAME, HF_ELIMIT, "drpc-frame", "a dRPC frame is over its limit")                   \
	X(DRPC_MESSAGE, HF_ELIMIT, "drpc-message", "a dRPC message is over its limit")             \
	X(DRPC_FRAMES, HF_ELIMIT, "drpc-frames", "a dRPC packet is in too many frames")            \
	X(DRPC_ERROR, HF_EPEER, "drpc-error", "a dRPC error packet without a code")                \
	X(DRPC_ORDER, HF_EPEER, "drpc-order", "a dRPC packet before the call or after its end")    \
	X(DRPC_CUT, HF_EPEER, "drpc-cut", "a call was cancelled in mid message")                   \
	/* protobuf framing */                                                                     \
	X(PB_TAG, HF_EFORMAT, "protobuf-tag", "a protobuf field number is malformed")              \
	X(PB_WIRE, HF_EFORMAT, "protobuf-wire", "a protobuf field has a wrong wire type")          \
	X(PB_LENGTH, HF_EFORMAT, "protobuf-length", "a protobuf length is malformed")              \
	X(PB_RECORD, HF_EFORMAT, "protobuf-record", "a workspace or agent is malformed protobuf")  \
	X(PB_TRUNCATED, HF_EFORMAT, "protobuf-truncated", "a message ends in mid field")           \
	X(RESULTS, HF_ELIMIT, "results", "the decoded messages are over their limit")              \
	/* refuses one message */                                                                  \
	X(UPDATE_RECORD, HF_EREFUSED, "update-record", "a record of a diff is malformed")          \
	X(UPDATE_DELETES, HF_EREFUSED, "update-deletes", "a snapshot that deletes")                \
	/* ends one call */                                                                        \
	X(CALL_ERROR, HF_EREFUSED, "call-error", "the server answered the call with an error")     \
	X(CALL_ENDED, HF_ECLOSED, "call-ended", "the server ended the call")                       \
	X(CALL_EMPTY, HF_ECLOSED, "call-empty", "the server ended the call without a snapshot")    \
	X(CALL_CANCELLED, HF_ECLOSED, "call-cancelled", "the server cancelled the call")           \
	X(CALL_RESET, HF_ECLOSED, "call-reset", "the server reset the stream of the call")

enum hf_stream_fault {
#define X(id, code, name, text) HF_STREAM_FAULT_##id,
	HF_STREAM_FAULT_TABLE(X)
#undef X
	    HF_STREAM_FAULT_LAST
};

/* "ws-flood": a stable name. Never NULL; static. */
const char *hf_stream_fault_name(enum hf_stream_fault t);
/* A clause for people. Never NULL; static. */
const char *hf_stream_fault_text(enum hf_stream_fault t);
/* The HF_E code that goes with it; 0 for HF_STREAM_FAULT_NONE. */
int hf_stream_fault_code(enum hf_stream_fault t);
