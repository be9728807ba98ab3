import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';

/**
 * Inside a network namespace: stands for the gateway on loopback, runs the command, and reports how
 * often something tried to leave. Arguments: socket, port, report, command and its arguments.
 */
const [socket = '', port = '', report = '', command = '', ...args] = process.argv.slice(2);

const server = createServer({ allowHalfOpen: true }, (client) => {
  const gateway = connect({ path: socket, allowHalfOpen: true });
  client.on('error', () => gateway.destroy()).pipe(gateway);
  gateway.on('error', () => client.destroy()).pipe(client);
});
server.listen(Number(port), '127.0.0.1', () => {
  const child = spawn(command, args, { stdio: 'inherit' });
  child.on('error', (error) => {
    console.error(error.message);
    end(127);
  });
  child.on('exit', (code) => end(code ?? 1));
});

function end(code: number): void {
  writeFileSync(report, String(strays()));
  process.exit(code);
}

/** Packets and connections without a route since the namespace began: proc(5), RFC 1213. */
function strays(): number {
  const [names = '', values = ''] = readFileSync('/proc/self/net/snmp', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Ip:'));
  const at = names.split(' ').indexOf('OutNoRoutes');
  const six = /^Ip6OutNoRoutes\s+(\d+)$/m.exec(readFileSync('/proc/self/net/snmp6', 'utf8'))?.[1];
  return Number(values.split(' ')[at]) + Number(six ?? 0);
}
