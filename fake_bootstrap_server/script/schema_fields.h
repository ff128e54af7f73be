/* SPDX-License-Identifier: Apache-2.0
 *
 * Enumerations of field numbers, one a record kind; part of schema.h, which is the only file that includes it.
 */
#ifndef BJ_SCRIPT_SCHEMA_FIELDS_H
#define BJ_SCRIPT_SCHEMA_FIELDS_H

/* One line a record kind, so that a new kind is one line here. */
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_SCENARIO_##FIELD = (number),
enum bj_fields_scenario { BJ_FIELDS_SCENARIO(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_CLIENT_##FIELD = (number),
enum bj_fields_client { BJ_FIELDS_CLIENT(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_ACCOUNT_##FIELD = (number),
enum bj_fields_account { BJ_FIELDS_ACCOUNT(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_SERVER_##FIELD = (number),
enum bj_fields_server { BJ_FIELDS_SERVER(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_DNS_ANSWER_##FIELD = (number),
enum bj_fields_dns_answer { BJ_FIELDS_DNS_ANSWER(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_LINK_##FIELD = (number),
enum bj_fields_link { BJ_FIELDS_LINK(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_TRANSMISSION_##FIELD = (number),
enum bj_fields_transmission { BJ_FIELDS_TRANSMISSION(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_PROFILE_##FIELD = (number),
enum bj_fields_profile { BJ_FIELDS_PROFILE(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_BUILT_IN_##FIELD = (number),
enum bj_fields_built_in { BJ_FIELDS_BUILT_IN(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_DEVIATION_##FIELD = (number),
enum bj_fields_deviation { BJ_FIELDS_DEVIATION(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_OBSERVED_##FIELD = (number),
enum bj_fields_observed { BJ_FIELDS_OBSERVED(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_RECOVERY_##FIELD = (number),
enum bj_fields_recovery { BJ_FIELDS_RECOVERY(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_REQUEST_##FIELD = (number),
enum bj_fields_request { BJ_FIELDS_REQUEST(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_RESPOND_##FIELD = (number),
enum bj_fields_respond { BJ_FIELDS_RESPOND(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_SILENCE_##FIELD = (number),
enum bj_fields_silence { BJ_FIELDS_SILENCE(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_WRITE_##FIELD = (number),
enum bj_fields_write { BJ_FIELDS_WRITE(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_DELETE_##FIELD = (number),
enum bj_fields_delete { BJ_FIELDS_DELETE(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_DISCOVER_##FIELD = (number),
enum bj_fields_discover { BJ_FIELDS_DISCOVER(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_READ_##FIELD = (number),
enum bj_fields_read { BJ_FIELDS_READ(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_FINISH_##FIELD = (number),
enum bj_fields_finish { BJ_FIELDS_FINISH(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_RAW_##FIELD = (number),
enum bj_fields_raw { BJ_FIELDS_RAW(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_MESSAGE_##FIELD = (number),
enum bj_fields_message { BJ_FIELDS_MESSAGE(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_RESPONSE_##FIELD = (number),
enum bj_fields_response { BJ_FIELDS_RESPONSE(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_ADVANCE_##FIELD = (number),
enum bj_fields_advance { BJ_FIELDS_ADVANCE(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_EITHER_##FIELD = (number),
enum bj_fields_either { BJ_FIELDS_EITHER(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_WHEN_##FIELD = (number),
enum bj_fields_when { BJ_FIELDS_WHEN(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_REPEAT_##FIELD = (number),
enum bj_fields_repeat { BJ_FIELDS_REPEAT(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_FAULT_##FIELD = (number),
enum bj_fields_fault { BJ_FIELDS_FAULT(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_NETWORK_##FIELD = (number),
enum bj_fields_network { BJ_FIELDS_NETWORK(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_PORT_##FIELD = (number),
enum bj_fields_port { BJ_FIELDS_PORT(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_RESTART_##FIELD = (number),
enum bj_fields_restart { BJ_FIELDS_RESTART(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_DNS_##FIELD = (number),
enum bj_fields_dns { BJ_FIELDS_DNS(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_STOP_##FIELD = (number),
enum bj_fields_stop { BJ_FIELDS_STOP(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_INPUT_##FIELD = (number),
enum bj_fields_input { BJ_FIELDS_INPUT(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_STOPPING_##FIELD = (number),
enum bj_fields_stopping { BJ_FIELDS_STOPPING(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_READY_##FIELD = (number),
enum bj_fields_ready { BJ_FIELDS_READY(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_EXIT_##FIELD = (number),
enum bj_fields_exit { BJ_FIELDS_EXIT(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_RESET_##FIELD = (number),
enum bj_fields_reset { BJ_FIELDS_RESET(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_ACK_##FIELD = (number),
enum bj_fields_ack { BJ_FIELDS_ACK(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_AGAIN_##FIELD = (number),
enum bj_fields_again { BJ_FIELDS_AGAIN(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_DEPARTURE_##FIELD = (number),
enum bj_fields_departure { BJ_FIELDS_DEPARTURE(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_RETRANSMISSION_##FIELD = (number),
enum bj_fields_retransmission { BJ_FIELDS_RETRANSMISSION(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_NOTE_##FIELD = (number),
enum bj_fields_note { BJ_FIELDS_NOTE(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_INCONCLUSIVE_##FIELD = (number),
enum bj_fields_inconclusive { BJ_FIELDS_INCONCLUSIVE(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_IGNORE_##FIELD = (number),
enum bj_fields_ignore { BJ_FIELDS_IGNORE(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_HANDSHAKE_##FIELD = (number),
enum bj_fields_handshake { BJ_FIELDS_HANDSHAKE(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_PACK_##FIELD = (number),
enum bj_fields_pack { BJ_FIELDS_PACK(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_STATE_FILE_##FIELD = (number),
enum bj_fields_state_file { BJ_FIELDS_STATE_FILE(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_START_##FIELD = (number),
enum bj_fields_start { BJ_FIELDS_START(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_POWER_CUT_##FIELD = (number),
enum bj_fields_power_cut { BJ_FIELDS_POWER_CUT(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_DISK_##FIELD = (number),
enum bj_fields_disk { BJ_FIELDS_DISK(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_FILE_##FIELD = (number),
enum bj_fields_file { BJ_FIELDS_FILE(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_EXECUTE_##FIELD = (number),
enum bj_fields_execute { BJ_FIELDS_EXECUTE(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_CREATE_##FIELD = (number),
enum bj_fields_create { BJ_FIELDS_CREATE(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_WRITE_ATTRIBUTES_##FIELD = (number),
enum bj_fields_write_attributes { BJ_FIELDS_WRITE_ATTRIBUTES(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_OBSERVE_##FIELD = (number),
enum bj_fields_observe { BJ_FIELDS_OBSERVE(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_NOTIFICATION_##FIELD = (number),
enum bj_fields_notification { BJ_FIELDS_NOTIFICATION(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_CANCEL_##FIELD = (number),
enum bj_fields_cancel { BJ_FIELDS_CANCEL(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_READ_COMPOSITE_##FIELD = (number),
enum bj_fields_read_composite { BJ_FIELDS_READ_COMPOSITE(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_WRITE_COMPOSITE_##FIELD = (number),
enum bj_fields_write_composite { BJ_FIELDS_WRITE_COMPOSITE(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_OBSERVE_COMPOSITE_##FIELD = (number),
enum bj_fields_observe_composite { BJ_FIELDS_OBSERVE_COMPOSITE(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_CLIENT_HELLO_##FIELD = (number),
enum bj_fields_client_hello { BJ_FIELDS_CLIENT_HELLO(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_CONNECTION_##FIELD = (number),
enum bj_fields_connection { BJ_FIELDS_CONNECTION(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_ALERT_##FIELD = (number),
enum bj_fields_alert { BJ_FIELDS_ALERT(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM
#define BJ_FIELD_ENUM(number, FIELD, name, TYPE, flags, detail, doc) BJ_F_HANG_UP_##FIELD = (number),
enum bj_fields_hang_up { BJ_FIELDS_HANG_UP(BJ_FIELD_ENUM) };
#undef BJ_FIELD_ENUM

#endif
