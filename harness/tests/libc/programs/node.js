// SPDX-License-Identifier: Apache-2.0
// Node's ways to wait and to be many: timers, its thread pool, a worker thread, UDP, TCP, names.
const { Worker, isMainThread, parentPort } = require('worker_threads');
const crypto = require('crypto');
const dgram = require('dgram');
const dns = require('dns');
const fs = require('fs');
const net = require('net');

const began = Date.now();
const say = (...words) => console.log(((Date.now() - began) / 1000).toFixed(1), ...words);

if (!isMainThread) {
    setTimeout(() => parentPort.postMessage('worker'), 2000);
} else {
    new Worker(__filename).on('message', (text) => say(text)).on('exit', () => say('worker ended'));
    crypto.pbkdf2('secret', 'salt', 20000, 8, 'sha256', (error, key) => say('pbkdf2', key.toString('hex')));
    crypto.randomBytes(8, (error, bytes) => say('random', bytes.toString('hex')));
    fs.readFile(__filename, (error, data) => say('file', error === null && data.length > 0));
    dns.lookup('nowhere.example', (error) => say('dns', error.code));
    net.connect(5683, 'bs.example').on('error', (error) => say('tcp', error.code));
    const ticks = setInterval(() => say('tick'), 1000);
    const socket = dgram.createSocket('udp4');
    socket.on('message', (data, from) => {
        say(data.subarray(data.indexOf(0xff) + 1).toString(), from.address);
        socket.close();
        clearInterval(ticks);
    });
    setTimeout(() => socket.send(Buffer.from('40011234b568656c6c6f', 'hex'), 5683, 'bs.example'), 3300);
}
