import { Agent, type AgentOptions, type ClientRequestArgs } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ConnectOptions, connector } from './transport-connect.ts';

/** Node agents for requests that are proxied untouched, with the transport's own way of connecting. */
export interface PassthroughAgents {
  /** Its connections refuse private addresses unless `trusted`. */
  for(url: string, trusted: boolean): Agent;
  close(): void;
}

export function createPassthroughAgents(options: ConnectOptions): PassthroughAgents {
  const agents = new Map<string, GuardedAgent>();
  return {
    for(url, trusted) {
      const { protocol } = new URL(url);
      const key = `${protocol}${trusted}`;
      const agent = agents.get(key) ?? new GuardedAgent(protocol, trusted, options);
      agents.set(key, agent);
      return agent;
    },
    close() {
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

class GuardedAgent extends Agent {
  readonly protocol: string;
  readonly defaultPort: number;
  readonly #trusted: boolean;
  readonly #options: ConnectOptions;

  constructor(protocol: string, trusted: boolean, options: ConnectOptions) {
    const pool: AgentOptions = { keepAlive: true };
    super(pool);
    this.protocol = protocol;
    this.defaultPort = protocol === 'https:' ? 443 : 80;
    this.#trusted = trusted;
    this.#options = options;
  }

  override createConnection(
    { host, port }: ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex {
    const bracketed = host?.includes(':') ? `[${host}]` : host;
    const origin = `${this.protocol}//${bracketed}:${port ?? this.defaultPort}`;
    const connect = connector(origin, this.#trusted, this.#options);
    const socket = connect((error, connected) => {
      if (error === undefined) callback?.(null, connected ?? socket);
      else callback?.(error, socket);
    });
    return socket;
  }
}
