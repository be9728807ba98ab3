/** The C library's `malloc`, as far as it can be asked for something. */
export interface Allocator {
  /** Gives whole pages that nobody uses back to the system: some milliseconds. */
  trim(): void;
}

type NativeFunction = (...values: readonly (number | bigint)[]) => unknown;

interface Ffi {
  dlopen(
    library: null,
    signatures: Readonly<Record<string, { return: string; arguments: readonly string[] }>>,
  ): { readonly functions: Readonly<Record<string, NativeFunction | undefined>> };
}

const signatures = {
  malloc_trim: { return: 'int32', arguments: ['uint64'] },
  mallopt: { return: 'int32', arguments: ['int32', 'int32'] },
};

/** As `malloc.h` of glibc names them. */
const option = { mmapThreshold: -3, mmapMax: -4 };
/**
 * From here on a block is a mapping of its own, which goes back to the system when it is freed. Above
 * what sockets and files are read into: a new mapping costs a page fault for each 4 KiB.
 */
const ownMappingBytes = 320 * 1024;
/** The system allows a process 65,530 mappings unless told otherwise, and V8 needs some, too. */
const mostMappings = 16 * 1024;

/**
 * glibc's allocator through `node:ffi`, set so that freed bodies do not stay with the process. Throws
 * where there is no such module, no such allocator (musl, macOS, Windows), or no leave to call it.
 */
export function openAllocator(ffi: unknown): Allocator {
  if (!isFfi(ffi)) throw new Error('this Node has no node:ffi');
  const { malloc_trim: trim, mallopt } = ffi.dlopen(null, signatures).functions;
  if (trim === undefined || mallopt === undefined) throw new Error('malloc cannot be set here');
  mallopt(option.mmapThreshold, ownMappingBytes);
  mallopt(option.mmapMax, mostMappings);
  return { trim: () => void trim(0n) };
}

function isFfi(value: unknown): value is Ffi {
  return (
    typeof value === 'object' &&
    value !== null &&
    'dlopen' in value &&
    typeof value.dlopen === 'function'
  );
}
