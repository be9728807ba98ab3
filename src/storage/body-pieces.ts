import type { ByteRange } from '../core/body.ts';

/** Room in memory for one piece of a body: after it is filled or not, `keep` or `drop`, once. */
export interface PiecePlace {
  /** Position of its first byte in the body. */
  readonly start: number;
  /** What to read it into, whole; of nobody else. */
  readonly bytes: Buffer;
  keep(): void;
  drop(): void;
}

/** The pieces of one large body that are in memory, for those who read it. */
export interface BodyPieces {
  /**
   * The bytes at `position`, up to the end of their piece or to before `end`, where they are in memory;
   * for as long as the caller likes, never to be written to.
   */
  at(position: number, end: number): Uint8Array | undefined;
  /** All of a range, in order, where that is in memory and not too much to send at once; notes it as read. */
  part(range: ByteRange): readonly Uint8Array[] | undefined;
  /** Notes that `length` bytes from `position` on are read, in memory or not: what is read often is kept. */
  noteRead(position: number, length: number, inMemory: boolean): void;
  /** The piece around `position`, where that is read so often that it should be in memory, and is not. */
  wanted(position: number): ByteRange | undefined;
  /** Room for such a piece, if there is any for it. */
  place(piece: ByteRange): PiecePlace | undefined;
  /** The body could not be read as it should be. */
  forget(): void;
}
