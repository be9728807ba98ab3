/** Of a new database. */
export const pageBytes = 8192;

/**
 * The log is copied into the database when it is longer: short enough that the copy, which the event
 * loop does wait for, takes about two milliseconds; with half of it, pages of indexes are copied more
 * often, which costs each body that is stored an eighth more.
 */
export const logBytes = 4 * 1024 * 1024;

/** Changes when tables change; a database of another version is put aside. */
export const schemaVersion = 2;

/**
 * `entries` has a row for each key: its record (`value`; `namespace` and `expires` are Keyv's, too, and
 * not used here), and what eviction and purging need: the mount, when it was last used (a logical
 * clock), and its body, which most have one of. Bodies that its other variants have are in `refs`. `totals` is the sum of the bytes that entries and bodies count
 * for, kept in step by every transaction, so that opening a store of a million records reads one row.
 * `leftovers` has the few bodies that are arriving, or never became whole: which representation each is
 * of, and which of its bytes were written, with a checksum for each piece (`disk-partial-log.ts`).
 *
 * Every table and index is a page more that a response which is stored writes to.
 */
export const schema = `
CREATE TABLE IF NOT EXISTS entries (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL,
  namespace TEXT NOT NULL DEFAULT '',
  mount TEXT,
  bytes INTEGER NOT NULL,
  used INTEGER NOT NULL,
  body INTEGER,
  expires INTEGER,
  value TEXT,
  UNIQUE (key, namespace)
);
CREATE INDEX IF NOT EXISTS entries_used ON entries (used);
CREATE INDEX IF NOT EXISTS entries_mount ON entries (mount) WHERE mount IS NOT NULL;
CREATE INDEX IF NOT EXISTS entries_body ON entries (body) WHERE body IS NOT NULL;
CREATE TABLE IF NOT EXISTS bodies (
  id INTEGER PRIMARY KEY,
  sha256 BLOB NOT NULL UNIQUE,
  size INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  inline INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS bodies_files ON bodies (sha256) WHERE inline = 0;
CREATE TABLE IF NOT EXISTS inline_bodies (
  id INTEGER PRIMARY KEY,
  data BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS refs (
  entry INTEGER NOT NULL,
  body INTEGER NOT NULL,
  PRIMARY KEY (entry, body)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS refs_body ON refs (body);
CREATE TABLE IF NOT EXISTS leftovers (
  id TEXT PRIMARY KEY,
  size INTEGER NOT NULL,
  identity TEXT NOT NULL,
  pieces TEXT NOT NULL,
  noted INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS totals (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  bytes INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  closed INTEGER NOT NULL
);
INSERT OR IGNORE INTO totals (id, bytes, entries, closed) VALUES (1, 0, 0, 1);
`;

/**
 * Set before the first table exists. `auto_vacuum` lets freed pages go back to the file system;
 * the exclusive lock keeps a second process out, is faster, and ends with the process. With pages of
 * 8 KiB storing a body takes a fifth less than with SQLite's 4 KiB, which older databases keep. When
 * the log is copied into the database `disk-log.ts` decides.
 */
export const pragmas = `
PRAGMA page_size = ${pageBytes};
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA temp_store = MEMORY;
PRAGMA cache_size = -8192;
PRAGMA wal_autocheckpoint = 0;
PRAGMA journal_size_limit = ${4 * logBytes};
`;

/**
 * What an earlier run left in the log is copied and synced by SQLite, which also makes the log's name
 * durable. From here on `disk-log.ts` syncs, off the event loop, until the connection is closed.
 */
export const afterSchema = `
PRAGMA wal_checkpoint(TRUNCATE);
PRAGMA synchronous = OFF;
`;

/** Changes nothing, but is a transaction that writes a page, and no more than that. */
export const writeFirstPage = `PRAGMA user_version = ${schemaVersion}`;

/** The checkpoint that closing makes is SQLite's own again. */
export const beforeClose = 'PRAGMA synchronous = NORMAL';
