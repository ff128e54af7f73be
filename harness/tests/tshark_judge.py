# SPDX-License-Identifier: Apache-2.0
"""tshark as an independent judge of what `bootjack decode` reads and of the captures that bootjack writes.

`compare(capture, bootjack)` gives the differences between the two decoders, packet by packet; `complaints(capture,
bootjack)` adds what tshark finds malformed in a capture that bootjack wrote. Both give lists of sentences: empty is good.
"""
import collections
import json
import re
import subprocess

COAP_PORTS = (5683, 5685, 56830)
TYPES = ("CON", "NON", "ACK", "RST")
# In the order in which bootjack's JSON has them, by tshark's type number.
TLV_KINDS = ("instance", "resource-instance", "multiple", "resource")
TLV_NODES = ("lwm2mtlv.object_instance", "lwm2mtlv.resource_instance", "lwm2mtlv.resource_array", "lwm2mtlv.resource")
# A capture says so at the packets that are broken; tshark may call those malformed.
BROKEN = re.compile(r"broken on purpose|not well-formed|is not registered|on purpose: .* no value of its type|quotes a packet|"
                    r"cut on the way|damaged on the way")
SIGNALLING = "7."

Message = collections.namedtuple("Message", "type mid code token options payload values")


# --- ours ---------------------------------------------------------------------------------------------------------


def decode(capture, bootjack, options=()):
    """The lines of `bootjack decode --json`."""
    command = [str(bootjack), "decode", "--json", *options, str(capture)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit status {done.returncode}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def our_values(entries):
    """TLV as nested tuples (kind, id, value or children); ("damaged", None, bytes) where it does not go on."""
    return [(e["kind"], e.get("id"), our_values(e["entries"]) if "entries" in e else e["hex"]) for e in entries]


def our_message(coap):
    options = [(o["number"], o["value"]) for o in coap["options"]]
    tlv = "values" in coap and all("kind" in entry for entry in coap["values"])  # other formats tshark does not read
    values = our_values(coap["values"]) if tlv else None
    return Message(coap.get("type"), coap.get("mid"), coap["code"], coap["token"], options, coap.get("payload", ""), values)


# --- tshark's -----------------------------------------------------------------------------------------------------


def run_tshark(capture, ports, *arguments):
    decode_as = [word for port in sorted(ports) for word in ("-d", f"udp.port=={port},coap")]
    command = ["tshark", "-n", "-r", str(capture), *decode_as, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def pairs(layer, name):
    """All values of a key that a layer may have several times (objects are lists of pairs here)."""
    return [value for key, value in layer if key == name]


def first(layer, name, default=None):
    found = pairs(layer, name)
    return found[0] if found else default


def extended(tree, name):
    """An option's delta or length: tshark shows the nibble (13 and 14 announce more bytes) and the bytes behind it."""
    nibble = int(first(tree, name))
    return {13: 13, 14: 269}.get(nibble, nibble) + int(first(tree, name + "_ext", 0))


def tshark_options(coap):
    """(number, value bytes) of every option, from its raw bytes and its subtree."""
    options, number = [], 0
    for raw, tree in zip(pairs(coap, "coap.opt.name_raw"), pairs(coap, "coap.opt.name_tree")):
        number += extended(tree, "coap.opt.delta")
        length = extended(tree, "coap.opt.length")
        data = bytes.fromhex(raw[0])
        options.append((number, data[len(data) - length:]))
    return options


def tshark_values(nodes):
    found = []
    for key, node in nodes:
        if key in TLV_NODES:
            header = first(node, "lwm2mtlv.header")
            kind = TLV_KINDS[int(first(header, "lwm2mtlv.type.type"))]
            nested = kind in ("instance", "multiple")
            value = tshark_values(node) if nested else first(node, "lwm2mtlv.value", "").replace(":", "")
            found.append((kind, int(first(header, "lwm2mtlv.identifier")), value))
    return found


def tshark_payload(coap):
    """The bytes of this packet, also where it is one block of several."""
    block = first(coap, "coap.block_payload")
    raw = first(coap, "coap.payload_raw")
    return block.replace(":", "") if block is not None else raw[0] if raw else ""


def tshark_message(coap, tlv):
    code = first(coap, "coap.code")  # None: cut off before it
    code = "none" if code is None else f"{int(code) >> 5}.{int(code) & 31:02}"
    kind = first(coap, "coap.type")
    mid = first(coap, "coap.mid")
    return Message(None if kind is None else TYPES[int(kind)], None if mid is None else int(mid),
                   code, first(coap, "coap.token", "").replace(":", ""), tshark_options(coap),
                   tshark_payload(coap), tshark_values(tlv) if tlv is not None else None)


def tshark_packets(capture, ports):
    """frame number -> (messages, protocols); ICMP errors quote packets, those are not messages."""
    text = run_tshark(capture, ports, "-x", "-T", "json", "-J", "coap lwm2mtlv")
    packets = {}
    for number, packet in enumerate(json.loads(text, object_pairs_hook=list), 1):
        layers = first(first(packet, "_source"), "layers")
        names = {key for key, _ in layers}
        messages = []
        if not names & {"icmp", "icmpv6"}:
            tlv = pairs(layers, "lwm2mtlv")
            coaps = pairs(layers, "coap")
            for i, coap in enumerate(coaps):
                messages.append(tshark_message(coap, tlv[0] if tlv and i == len(coaps) - 1 else None))
        packets[number] = (messages, names)
    return packets


# --- the comparison -----------------------------------------------------------------------------------------------


def same_option(ours, theirs):
    """Our JSON has text as text, numbers as numbers, the rest in hexadecimal; tshark's side is bytes."""
    if ours[0] != theirs[0]:
        return False
    value, data = ours[1], theirs[1]
    if isinstance(value, int):
        return value == int.from_bytes(data, "big")
    if value == data.hex():
        return True
    try:
        return value == data.decode()
    except UnicodeDecodeError:
        return True  # JSON text cannot say which bytes they were


def differences(ours, theirs):
    """What two readings of one message disagree about."""
    found = [name for name in ("type", "mid", "code", "token") if getattr(ours, name) != getattr(theirs, name)]
    if ours.code.startswith(SIGNALLING):
        return found  # tshark 4.0 reads the options of signalling messages as if they were those of requests
    if len(ours.options) != len(theirs.options) or not all(map(same_option, ours.options, theirs.options)):
        found.append("options")
    if ours.payload != theirs.payload:
        found.append("payload")
    # A block of several has values only for tshark, which puts the blocks together. Damaged ones each reads as far as
    # it likes.
    comparable = ours.values is not None and theirs.values is not None and "damaged" not in str(ours.values)
    if comparable and ours.values != theirs.values:
        found.append("values")
    return found


def compare_frame(frame, lines, messages):
    ours = [our_message(line["coap"]) for line in lines if "fault" not in line["coap"]]
    if any("fault" in line["coap"] for line in lines):
        return []  # what is not well-formed each reads as far as it likes
    if len(ours) != len(messages):
        return [f"frame {frame}: bootjack reads {len(ours)} messages, tshark {len(messages)}"]
    return [f"frame {frame}: {name}: bootjack {getattr(a, name)!r}, tshark {getattr(b, name)!r}"
            for a, b in zip(ours, messages) for name in differences(a, b)]


def by_frame(lines):
    frames = collections.defaultdict(list)
    for line in lines:
        frames[line["frame"]].append(line)
    return frames


def udp_ports(lines):
    """The ports that tshark must be told: those of every message that we read over UDP, unless DTLS uses them, too."""
    ends = {kind: {int(line[end].rpartition(":")[2]) for line in lines for end in ("src", "dst")
                   if line["transport"] in ("udp", "dtls") and kind in line} for kind in ("coap", "encrypted")}
    return (ends["coap"] | set(COAP_PORTS)) - ends["encrypted"]


def compare(capture, bootjack, options=()):
    lines = decode(capture, bootjack, options)
    packets = tshark_packets(capture, udp_ports(lines))
    found = []
    encrypted = {line["frame"] for line in lines if "encrypted" in line}
    frames = by_frame(line for line in lines if "coap" in line)
    for frame, (messages, names) in packets.items():
        if frame in encrypted:
            if not names & {"dtls", "tls"}:
                found.append(f"frame {frame}: bootjack takes for encrypted what tshark does not")
        elif messages or frame in frames:
            found += compare_frame(frame, frames.get(frame, []), messages)
    found += [f"frame {frame}: not there for tshark" for frame in frames if frame not in packets]
    return found


def frames_with_blocks(lines):
    """Frames with a Block option, if the capture has BERT (RFC 8323 §6): tshark 4.0 takes each such block for one of 1024
    bytes and puts bodies together with holes. Of the packets themselves it sees what we see."""
    blocks = [(line["frame"], option["value"]) for line in lines if "coap" in line
              for option in line["coap"].get("options", ()) if option["number"] in (23, 27)]
    bert = any(isinstance(value, int) and value & 7 == 7 for _, value in blocks)
    return {frame for frame, _ in blocks} if bert else set()


# Registered after tshark 4.0 (RFC 9175).
UNKNOWN_TO_TSHARK = {"Invalid Option Number 292"}


def malformed(capture, ports, with_blocks=frozenset()):
    """What tshark finds malformed and nobody broke: sentences."""
    columns = ("frame.number", "coap.code", "frame.comment", "coap.block.overlap.conflicts", "_ws.expert.message")
    fields = [word for column in columns for word in ("-e", column)]
    checks = [word for layer in ("ip", "udp", "tcp") for word in ("-o", f"{layer}.check_checksum:TRUE")]
    bad = "_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0 || tcp.checksum.status == 0"
    text = run_tshark(capture, ports, *checks, "-Y", bad, "-T", "fields", "-E", "separator=|", *fields)
    found = []
    for line in text.splitlines():
        number, codes, comment, conflicts, said = (line.split("|") + [""] * 4)[:5]
        signalling = codes and all(int(code) >> 5 == 7 for code in codes.split(","))
        # A body that was begun anew: tshark says itself that it put both beginnings together.
        ignorance = said in UNKNOWN_TO_TSHARK or int(number) in with_blocks
        if not BROKEN.search(comment) and not signalling and not conflicts and not ignorance:
            found.append(f"frame {number}: tshark: {said or 'malformed'}")
    return found


def complaints(capture, bootjack, options=()):
    """For a capture that bootjack wrote: malformed packets that carry no comment, and differences in reading."""
    lines = decode(capture, bootjack, options)
    return malformed(capture, udp_ports(lines), frames_with_blocks(lines)) + compare(capture, bootjack, options)
