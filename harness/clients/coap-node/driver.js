// SPDX-License-Identifier: Apache-2.0
//
// An application on npm's coap-node, as its README shows one: a device that is bootstrapped and registers with what it
// was given. The library does the protocol; what it leaves to the application is done here, and no more: waiting for
// the hold-off before bootstrap(), and calling it again after the hold-off when it was refused or not answered.
// (The library itself has no hold-off, no time-out for Bootstrap-Finish, and registers by itself after Finish.)
//
// Usage: node driver.js --modules FOLDER --endpoint NAME --host HOST --port PORT [--holdoff SECONDS]
'use strict';

const path = require('path');
const { parseArgs } = require('util');

const { values } = parseArgs({
    options: {
        modules: { type: 'string' }, // node_modules that holds coap-node
        endpoint: { type: 'string', default: 'dev-1' },
        host: { type: 'string' },
        port: { type: 'string' },
        holdoff: { type: 'string', default: '0' },
    },
});

// The library asks programs like `ip` for the machine's address, only to report it; as its own tests do, leave that out.
process.env.npm_lifecycle_event = 'test';
const load = (name) => require(path.join(path.resolve(values.modules), name));
const CoapNode = load('coap-node');
const SmartObject = load('smartobject');

const holdoff = Number(values.holdoff) * 1000;
const node = new CoapNode(values.endpoint, new SmartObject(), {});
const say = (...words) => console.log(...words);

for (const event of ['bootstrapped', 'registered', 'deregistered']) {
    node.on(event, () => say(event));
}
node.on('error', (error) => say('error:', error.message));

// The library tells of one failure more than once; there is one next attempt all the same.
let due = false;

function bootstrapAgain() {
    if (!due) {
        due = true;
        setTimeout(bootstrap, holdoff);
    }
}

function bootstrap() {
    due = false;
    node.bootstrap(values.host, Number(values.port), (error, response) => {
        say('bootstrap:', error ? error.message : response.status);
        if (error || response.status !== '2.04') {
            bootstrapAgain();
        }
    });
}

process.on('SIGTERM', () => process.exit(0));
bootstrapAgain();
