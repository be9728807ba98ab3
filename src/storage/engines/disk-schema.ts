/** Of a new database. */
export const pageBytes = 8192;

/** Changes when tables change; a database of another version is put aside. */
export const schemaVersion = 1;

/**
 * The records themselves are in Keyv's own table. These say what eviction and purging need:
 * which keys there are and when they were last used (a logical clock), which bodies there are, who
 * refers to them, and how many bytes each counts for. `totals` is their sum, kept in step by every
 * transaction, so that opening a store of a million records reads one row. `leftovers` has the few
 * bodies that are arriving, or never became whole: which representation each is of, and which of its
 * bytes were written, with a checksum for each piece (`disk-partial-log.ts`).
 */
export const schema = `
CREATE TABLE IF NOT EXISTS entries (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  mount TEXT,
  bytes INTEGER NOT NULL,
  used INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS entries_used ON entries (used);
CREATE INDEX IF NOT EXISTS entries_mount ON entries (mount) WHERE mount IS NOT NULL;
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
 * 8 KiB storing a body takes a fifth less than with SQLite's 4 KiB, which older databases keep; the
 * log is short enough to stay in the processor's cache until it is copied into the database.
 */
export const pragmas = `
PRAGMA page_size = ${pageBytes};
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA temp_store = MEMORY;
PRAGMA cache_size = -8192;
PRAGMA wal_autocheckpoint = 250;
PRAGMA journal_size_limit = 16777216;
`;
