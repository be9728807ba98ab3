/** What doctor can find, each with one name. */
export type FindingCode =
  | 'gateway-unreachable'
  | 'gateway-untrusted'
  | 'not-a-gateway'
  | 'public-url'
  | 'clock'
  | 'degraded'
  | 'admin-unreachable'
  | 'proxy-between'
  | 'no-mount'
  | 'not-set-up'
  | 'not-pointed'
  | 'unreadable'
  | 'environment'
  | 'untrusted'
  | 'not-intercepted'
  | 'tunnel-refused';

/** Something that is not as it should be. */
export interface Finding {
  readonly code: FindingCode;
  /** A note is worth knowing and keeps nothing from working. */
  readonly severity: 'problem' | 'note';
  /** Whom it is about; without it the gateway. */
  readonly tool?: string;
  /** What is wrong, a sentence. */
  readonly message: string;
  /** What would mend it: a command, or what to change. */
  readonly fix: string;
}

/** Whether a tool is pointed at the gateway, and how. */
export interface ToolState {
  readonly tool: string;
  readonly pointed: boolean;
  readonly mode?: 'registry' | 'proxy';
  readonly scope?: 'user' | 'project';
}
