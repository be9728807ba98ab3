import fs from 'node:fs';

/** Writes the chunks one after the other from `position`; how many bytes were written. */
export type WriteVector = (
  fd: number,
  chunks: readonly Uint8Array[],
  position: number,
) => Promise<number>;

export function openFile(path: string, flags: string): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.open(path, flags, (error, fd) => (error ? reject(error) : resolve(fd)));
  });
}

export function closeFile(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.close(fd, (error) => (error ? reject(error) : resolve()));
  });
}

export function fileSize(fd: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.fstat(fd, (error, stats) => (error ? reject(error) : resolve(stats.size)));
  });
}

/** Bytes that the file takes on its medium, holes left out; undefined when it is not there. */
export function allocatedBytes(path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    fs.stat(path, (error, stats) => {
      // Without a count of blocks (Windows) a file has no holes.
      if (!error) resolve(stats.blocks > 0 ? stats.blocks * 512 : stats.size);
      else if (error.code === 'ENOENT') resolve(undefined);
      else reject(error);
    });
  });
}

/** Reads up to `length` bytes into the start of `target`; 0 at the end of the file. */
export function readAt(
  fd: number,
  target: Uint8Array,
  length: number,
  position: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(fd, target, 0, length, position, (error, count) =>
      error ? reject(error) : resolve(count),
    );
  });
}

export const writeVector: WriteVector = (fd, chunks, position) =>
  new Promise((resolve, reject) => {
    fs.writev(fd, chunks, position, (error, count) => (error ? reject(error) : resolve(count)));
  });

/** Resolves when the file's bytes are on the medium. */
export function syncData(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.fdatasync(fd, (error) => (error ? reject(error) : resolve()));
  });
}

export function truncateFile(fd: number, size: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.ftruncate(fd, size, (error) => (error ? reject(error) : resolve()));
  });
}

/** Removes the file; whether it was there. */
export function removeFile(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    fs.unlink(path, (error) => {
      if (!error) resolve(true);
      else if (error.code === 'ENOENT') resolve(false);
      else reject(error);
    });
  });
}

/** After a write: what is left of the chunks when the first `count` bytes are gone. */
export function chunksAfter(chunks: readonly Uint8Array[], count: number): Uint8Array[] {
  let rest = count;
  let first = 0;
  while (first < chunks.length && rest >= (chunks[first] as Uint8Array).length) {
    rest -= (chunks[first] as Uint8Array).length;
    first++;
  }
  const left = chunks.slice(first);
  if (rest > 0) left[0] = (left[0] as Uint8Array).subarray(rest);
  return left;
}
